/** A value that is made at most once in `keptMs`, however many ask for it meanwhile. One whose making fails is not kept. */
export const createKept = <Value>(keptMs: number) => {
  let latest: { atMs: number; value: Promise<Value> } | undefined;
  /** @param nowMs on the monotonic clock. */
  return (nowMs: number, make: () => Promise<Value>): Promise<Value> => {
    if (latest && nowMs - latest.atMs < keptMs) return latest.value;
    const made = { atMs: nowMs, value: make() };
    latest = made;
    made.value.catch(() => {
      if (latest === made) latest = undefined;
    });
    return made.value;
  };
};
