/** The benchmark's processor: does nothing, and tells when it was called, in ms since the epoch. */
export default (): number => performance.timeOrigin + performance.now();
