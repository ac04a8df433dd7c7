/** How a slot of the primary replaces its worker, in fake time and without processes. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { WorkerSlot } from '../../lib/cluster/worker-slot.ts';
import { FakeClock } from '../../lib/testing/fake-clock.ts';
import { error, readableLog } from '../support/log-lines.ts';
import { FakeWorker } from './support/fake-worker.ts';

const notUp = 'the successor of a worker that must retire did not come up';

const openSlot = () => {
  const clock = new FakeClock(new Date(0));
  const { log, lines } = readableLog();
  const workers: FakeWorker[] = [];
  const slot = new WorkerSlot({
    slot: 0,
    config: { processor: 'processor.ts', workerHangMs: 60_000, startTimeoutMs: 60_000 },
    clock,
    log,
    fork: () => workers[workers.push(new FakeWorker(workers.length + 1)) - 1]!.asWorker,
    stopTimeoutMs: 60_000,
    changed: () => undefined,
    reported: () => undefined,
    shouldRestart: () => true,
    restarted: () => undefined,
    exited: () => undefined,
    retired: () => undefined,
  });
  /** Lets a time pass, with all that it brings. */
  const pass = async (ms: number) => {
    const until = clock.monotonicMs() + ms;
    do await setImmediate();
    while (clock.fireNext(until));
    clock.moveTo(until);
  };
  const errors = () => lines.filter(({ level }) => level === error).map(({ msg }) => msg);
  return { slot, workers, pass, errors };
};

type Slot = ReturnType<typeof openSlot>;

const openRunning = async (): Promise<Slot> => {
  const opened = openSlot();
  opened.workers[0]!.report('running');
  await opened.pass(0);
  return opened;
};

const openRetiring = async (): Promise<Slot> => {
  const opened = await openRunning();
  opened.workers[0]!.report('running', { mustRetire: true });
  await opened.pass(0);
  return opened;
};

describe.each(['SIGTERM', 'SIGINT'] as const)('a worker that %s ends before it listens to it', (signal) => {
  test('is no failure in a drain, because Ctrl-C sends the signal to the workers too', async () => {
    const { slot, workers, errors } = openSlot();
    const drained = slot.drain();
    workers[0]!.exit(null, signal);
    expect(await drained).toBe(true);
    expect(slot.status.state).toBe('stopped');
    expect(errors()).toEqual([]);
  });

  test('is started again when nobody asked it to stop', async () => {
    const { slot, workers, pass, errors } = openSlot();
    workers[0]!.exit(null, signal);
    await pass(1_000);
    expect(errors()).toContain('worker exited');
    expect(slot.status).toMatchObject({ pid: 2, restarts: 1 });
  });
});

describe('a worker that must retire', () => {
  test('is told so when its successor runs', async () => {
    const { slot, workers, pass } = await openRetiring();
    workers[1]!.report('running');
    await pass(0);
    expect(workers[0]!.heard).toEqual([{ kind: 'replaced' }]);
    expect(slot.status).toMatchObject({ pid: 2, state: 'running', restarts: 1 });
  });

  test('gets another successor after one that did not come up', async () => {
    const { slot, workers, pass, errors } = await openRetiring();
    workers[1]!.exit(1);
    await pass(5_000);
    expect(errors()).toEqual([notUp]);
    workers[0]!.report('running', { mustRetire: true });
    await pass(0);
    workers[2]?.report('running');
    await pass(0);
    expect(workers[0]!.heard).toEqual([{ kind: 'replaced' }]);
    expect(slot.status).toMatchObject({ pid: 3, state: 'running', restarts: 1 });
  });

  test('and dies while its successor loads leaves one worker, whichever comes up first', async () => {
    const { slot, workers, pass } = await openRetiring();
    workers[0]!.exit(1);
    await pass(1_000);
    expect(workers).toHaveLength(3);
    workers[1]!.report('running');
    workers[2]!.report('running');
    await pass(0);
    expect(slot.status.pid).toBe(3);
    expect(workers.map(({ signals }) => signals)).toEqual([[], ['SIGTERM'], []]);
  });

  test('and dies before its restart leaves its successor', async () => {
    const { slot, workers, pass } = await openRetiring();
    workers[0]!.exit(1);
    await pass(0);
    workers[1]!.report('running');
    await pass(60_000);
    expect(slot.status.pid).toBe(2);
    expect(workers).toHaveLength(2);
  });

  test.each([
    ['drain', (slot: WorkerSlot) => void slot.drain()],
    ['reload', (slot: WorkerSlot) => void slot.startSuccessor()],
  ])('logs no error when a %s drops its successor', async (_what, drop) => {
    const { slot, workers, pass, errors } = await openRetiring();
    drop(slot);
    workers[1]!.exit(0);
    await pass(0);
    expect(workers[1]!.signals).toContain('SIGTERM');
    expect(errors()).toEqual([]);
  });
});
