/** The benchmark's processor: does nothing, and returns the time of its call in ms since the epoch. */
export default (): number => performance.timeOrigin + performance.now();
