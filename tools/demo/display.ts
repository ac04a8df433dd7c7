import type { WriteStream } from 'node:tty';
import cliProgress from 'cli-progress';
import { describeAll, describeRun, drawBar, type Progress } from './progress.ts';

export type Display = {
  /** Draws what the users' progress says by now. */
  show(): void;
  /** Draws the last state and leaves it standing. */
  end(): void;
};

const barWidth = 40;

const lineOf = (user: Progress, nameWidth: number): string => {
  const digits = String(user.total).length;
  const count = (value: number) => String(value).padStart(digits);
  const counts = `accepted ${count(user.accepted)}  settled ${count(user.settled)}`;
  return `${user.username.padEnd(nameWidth)}  ${drawBar(user, barWidth)}  ${counts}  ${describeRun(user)}`;
};

const barsOn = (stream: WriteStream, users: Progress[]): Display => {
  const nameWidth = Math.max(...users.map(({ username }) => username.length));
  const bars = new cliProgress.MultiBar({
    stream,
    hideCursor: true,
    emptyOnZero: true,
    format: (_options, _params, payload) => lineOf(payload.user, nameWidth),
  });
  const rows = users.map((user) => ({ user, bar: bars.create(user.total, 0, { user }) }));
  const show = () => {
    for (const { user, bar } of rows) bar.update(Math.min(user.settled, user.total), { user });
  };
  return {
    show,
    end: () => {
      show();
      bars.stop();
    },
  };
};

/** A line a second is enough for a log. */
const lineEveryMs = 1_000;

const linesOn = (stream: NodeJS.WritableStream, users: Progress[]): Display => {
  let last = performance.now();
  const write = () => stream.write(`settled/accepted: ${describeAll(users)}\n`);
  return {
    show: () => {
      if (performance.now() - last < lineEveryMs) return;
      last = performance.now();
      write();
    },
    end: write,
  };
};

/** Bars in a terminal, lines anywhere else. */
export const createDisplay = (stream: WriteStream, users: Progress[]): Display =>
  stream.isTTY ? barsOn(stream, users) : linesOn(stream, users);
