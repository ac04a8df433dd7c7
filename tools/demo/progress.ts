/** How far each user is, and its progress bars. */
import type { WriteStream } from 'node:tty';
import cliProgress from 'cli-progress';

/** `accepted` and `settled` as `GET /queue` shows them. */
export type Progress = { username: string; total: number; accepted: number; settled: number };

/** `█` settled, `▒` accepted, `░` not sent yet. A tombstone may raise `settled` above `total`. */
export const drawBar = ({ total, accepted, settled }: Progress, width: number): string => {
  const share = (count: number) => (total === 0 ? 0 : Math.min(width, Math.floor((count / total) * width)));
  const done = share(settled);
  const waiting = Math.max(0, share(accepted) - done);
  return '█'.repeat(done) + '▒'.repeat(waiting) + '░'.repeat(width - done - waiting);
};

/** Bars that move on a terminal; anywhere else the same lines again every second. */
export const createDisplay = (stream: WriteStream, users: Progress[]) => {
  const width = Math.max(...users.map(({ username }) => username.length));
  const display = new cliProgress.MultiBar({
    ...{ stream, hideCursor: true, gracefulExit: true, noTTYOutput: true, notTTYSchedule: 1_000, emptyOnZero: true },
    format: '{name}  {drawn}  {settled} of {total} settled',
  });
  const drawn = (user: Progress) => ({
    name: user.username.padEnd(width),
    drawn: drawBar(user, 40),
    settled: String(user.settled).padStart(String(user.total).length),
  });
  const bars = users.map((user) => ({ user, bar: display.create(user.total, 0, drawn(user)) }));
  const show = (): void => {
    for (const { user, bar } of bars) bar.update(user.settled, drawn(user));
  };
  return { show, end: () => [show(), display.stop()] };
};
