export type SharedPromise<T> = {
  /** The value, made by the first caller and shared by the others. A failure is forgotten: the next call tries again. */
  get(): Promise<T>;
  /** The promise that `get` would share, without making one. */
  current(): Promise<T> | undefined;
  /** Makes the next `get` make a new value, if `promise` is the one being shared. */
  forget(promise: Promise<T> | undefined): void;
};

/**
 * One value that is expensive to make, made on demand: a connection, a channel, an index.
 *
 * @param make receives `forget`, to call when the value it made is of no more use. Calling it is harmless when that value has
 * been replaced already. It must not be called before `make` returns its promise.
 */
export const sharePromise = <T>(make: (forget: () => void) => Promise<T>): SharedPromise<T> => {
  let current: Promise<T> | undefined;
  const forget = (promise: Promise<T> | undefined): void => {
    if (current === promise) current = undefined;
  };
  return {
    get() {
      if (current) return current;
      const forgetMade = () => forget(made);
      const made: Promise<T> = make(forgetMade).catch((error) => {
        forgetMade();
        throw error;
      });
      current = made;
      return made;
    },
    current: () => current,
    forget,
  };
};
