/** Runs works one after the other, in the order of the calls, whether the earlier ones succeed or fail. */
export const createSequence = () => {
  let tail: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work);
    tail = result.catch(() => undefined);
    return result;
  };
};
