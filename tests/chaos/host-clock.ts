/**
 * The clock of the host that this process pretends to run on: import this first. `HOST_CLOCK_FILE` contains how many milliseconds
 * the clock is ahead. All processes of one host share the file, and chaos changes it. Without the variable nothing happens.
 *
 * Only `Date` is shifted. As on a real host, the monotonic clock and timers do not notice when the clock is set.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';

const readEveryMs = 50;

const file = process.env.HOST_CLOCK_FILE;
let aheadMs = 0;

const read = (): void => {
  const ms = Number(readFileSync(file as string, 'utf8'));
  if (Number.isFinite(ms)) aheadMs = ms;
};

if (file) {
  const RealDate = Date;
  const now = () => RealDate.now() + aheadMs;
  read();
  setInterval(read, readEveryMs).unref();
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args) => Reflect.construct(target, args.length > 0 ? args : [now()]),
    apply: () => new RealDate(now()).toString(),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
}
