/** Milliseconds of the machine's monotonic clock. It is the same in every process and never goes back. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;
