import { cpus, loadavg, totalmem } from 'node:os';
import { version } from 'node:process';

/** What the figures are from, in one line. */
export const machine = (): string => {
  const memory = Math.round(totalmem() / 1_024 ** 3);
  return `${cpus().length} x ${cpus()[0]?.model}, ${memory} GiB, Node ${version}; load of the last minute ${loadavg()[0]?.toFixed(1)}`;
};
