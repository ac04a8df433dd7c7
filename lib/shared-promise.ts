export type SharedPromise<T> = {
  /** The value; made by the first caller and shared by the others. A failure is forgotten: the next call tries again. */
  get(): Promise<T>;
  /** What `get` shares now, without making it. */
  current(): Promise<T> | undefined;
  /** The next `get` makes a new value. With `only`, just if that is the one being shared. */
  forget(only?: Promise<T>): void;
};

/** One value that is expensive to make, made on demand: a connection, a channel, an index. */
export const sharePromise = <T>(make: () => Promise<T>): SharedPromise<T> => {
  let current: Promise<T> | undefined;
  const forget = (only?: Promise<T>): void => {
    if (only === undefined || current === only) current = undefined;
  };
  return {
    get() {
      if (current) return current;
      const making: Promise<T> = make().catch((error) => {
        forget(making);
        throw error;
      });
      current = making;
      return making;
    },
    current: () => current,
    forget,
  };
};
