/**
 * One process of a contender: `node bench/side.ts client|worker FILE`. It takes its orders from the benchmark, and ends with it.
 * A client sends the load by itself, so that the benchmark's own work is not in its figures.
 */
import process, { argv, exit } from 'node:process';
import { pathToFileURL } from 'node:url';
import { closedLoop, openLoop } from '../tools/load.ts';
import type { Sent } from './judge.ts';
import { createRecorder } from './runs.ts';
import { type Client, type Contender, type Job, monotonicMs, type Place } from './sides.ts';

/** Users take turns. */
export type Offer = { users: number; count: number; holdMs?: number; isHeld?: boolean } & (
  | { inFlight: number }
  | { ratePerSecond: number }
);

/** `firstN`: where the counting of each user's jobs starts. */
type Load = Offer & { firstN: number };

export type Order =
  | { kind: 'open'; place: Place; index: number; runsPath: string }
  | { kind: 'load'; load: Load }
  | { kind: 'unsettled' }
  | { kind: 'close' };

/** Loads a contender's module. @param file an absolute path. */
const contenderIn = async (file: string): Promise<Contender> => import(pathToFileURL(file).href);

const send = async (client: Client, load: Load): Promise<Sent[]> => {
  const sent: Sent[] = [];
  const call = async (index: number, dueAt: number): Promise<void> => {
    const [user, n] = [index % load.users, load.firstN + Math.floor(index / load.users)];
    const job: Job = { user, n };
    // Every second job of a user takes four times as long, so that jobs of one user that run at the same time can overtake each other.
    if (load.holdMs) job.holdMs = load.holdMs * ((user + n) % 2 === 0 ? 4 : 1);
    if (load.isHeld) job.isHeld = true;
    const calledAt = monotonicMs();
    await client.send(job);
    sent.push({ user, n, dueAt, calledAt, answeredAt: monotonicMs() });
  };
  if ('inFlight' in load) await closedLoop(load, (index) => call(index, monotonicMs()));
  else {
    const pace = { now: monotonicMs, wait: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)) };
    await openLoop(load, call, pace);
  }
  return sent;
};

const serve = (role: string, file: string) => {
  let client: Client | undefined;
  let close = async (): Promise<void> => undefined;
  return async (order: Order): Promise<unknown> => {
    if (order.kind === 'open') {
      const contender = await contenderIn(file);
      if (role === 'client') {
        client = await contender.openClient(order.place);
        close = client.close;
        return;
      }
      const recorder = createRecorder(order.runsPath);
      const worker = await contender.openWorker?.(order.place, order.index, recorder.work);
      close = async () => {
        await worker?.close();
        recorder.close();
      };
      return;
    }
    if (order.kind === 'close') return close();
    if (order.kind === 'unsettled') return client?.unsettled?.() ?? 0;
    return client && send(client, order.load);
  };
};

const [, , role = '', file = ''] = argv;
const answer = serve(role, file);
process.on('disconnect', () => exit());
process.on('message', ({ id, order }: { id: number; order: Order }) => {
  answer(order).then(
    (value) => process.send?.({ id, value }),
    (error) => process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
