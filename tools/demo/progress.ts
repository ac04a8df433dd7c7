/** What is known of one user while the demo runs. */
import { settledStatuses } from '../../lib/types.ts';
import type { ShownEntry } from './verdict.ts';

export type Progress = {
  username: string;
  total: number;
  accepted: number;
  /** Every `seq` up to it is settled. */
  settled: number;
  /** The `seq` that runs, if one was seen running. */
  running: number | undefined;
};

/** @param page the ledger above `progress.settled`, by `seq`. */
export const noteEntries = (progress: Progress, page: ShownEntry[]): void => {
  progress.running = undefined;
  for (const { seq, status } of page) {
    if (status === 'processing') progress.running ??= seq;
    const settled = settledStatuses.some((one) => one === status);
    if (settled && seq === progress.settled + 1) progress.settled = seq;
  }
};

/** `█` settled, `▒` accepted, `░` not sent yet. A tombstone may make `settled` pass `total`. */
export const drawBar = ({ total, accepted, settled }: Progress, width: number): string => {
  const share = (count: number) => (total === 0 ? 0 : Math.min(width, Math.floor((count / total) * width)));
  const done = share(settled);
  const waiting = Math.max(0, share(accepted) - done);
  return '█'.repeat(done) + '▒'.repeat(waiting) + '░'.repeat(width - done - waiting);
};

/** What runs was seen running; a run may be shorter than a look at the ledger. */
export const describeRun = ({ total, accepted, settled, running }: Progress): string => {
  if (running !== undefined) return `runs #${running}`;
  if (settled >= total) return 'done';
  return settled < accepted ? `next #${settled + 1}` : '';
};

/** One line for all users, where nothing can be drawn. */
export const describeAll = (users: Progress[]): string =>
  users
    .map((user) => {
      const run = describeRun(user);
      return `${user.username} ${user.settled}/${user.accepted}${run === '' ? '' : ` (${run})`}`;
    })
    .join('  ');
