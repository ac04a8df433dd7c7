import { expect, test } from '@jest/globals';
import { bucketCount } from '../../lib/wait-buckets.ts';
import { uniqueName } from '../support/servers.ts';
import { at, describeStores } from './store-contract.ts';

describeStores('heartbeats', (ports) => {
  test('the newest heartbeat of each worker is kept, with the lanes that it owned and its unresponsive runs', async () => {
    const [first, second] = [uniqueName('worker'), uniqueName('worker')];
    await ports.workers.report({ workerId: first, lanes: [1], unresponsive: ['a'], at: at(100) });
    await ports.workers.report({ workerId: second, lanes: [], unresponsive: [], away: true, at: at(101) });
    await ports.workers.report({ workerId: first, lanes: [1, 2], unresponsive: ['b', 'c'], at: at(102) });
    const heartbeats = (await ports.workers.all()).filter(({ workerId }) => [first, second].includes(workerId));
    expect(heartbeats.sort((a, b) => a.at.getTime() - b.at.getTime())).toMatchObject([
      { workerId: second, lanes: [], unresponsive: [], away: true, at: at(101) },
      { workerId: first, lanes: [1, 2], unresponsive: ['b', 'c'], at: at(102) },
    ]);
  });

  test('a heartbeat says how often it is written, where its worker says it', async () => {
    const [older, newer] = [uniqueName('worker'), uniqueName('worker')];
    await ports.workers.report({ workerId: older, lanes: [], unresponsive: [], at: at(300) });
    await ports.workers.report({ workerId: newer, lanes: [], unresponsive: [], beatMs: 125, at: at(300) });
    const found = new Map((await ports.workers.all()).map(({ workerId, beatMs }) => [workerId, beatMs]));
    expect([found.get(older), found.get(newer)]).toEqual([undefined, 125]);
  });

  test('a heartbeat says what the users of its worker wait for, and says so when nobody waits any more', async () => {
    const workerId = uniqueName('worker');
    const report = async (waitingSince: Date | null) => {
      const demand = { waitingSince, blockedUsers: 1, blockedRequests: 7 };
      const moves = { users: 12, deadLetters: 1 };
      await ports.workers.report({ workerId, lanes: [], unresponsive: [], demand, moves, at: at(400) });
      const found = (await ports.workers.all()).find((one) => one.workerId === workerId);
      expect(found).toMatchObject({ demand, moves });
    };
    await report(at(399));
    await report(null);
  });

  test('the heartbeat of a removed worker is gone', async () => {
    const removed = uniqueName('worker');
    await ports.workers.report({ workerId: removed, lanes: [], unresponsive: [], at: at(201) });
    await ports.workers.remove(removed);
    await ports.workers.remove(removed);
    expect((await ports.workers.all()).map(({ workerId }) => workerId)).not.toContain(removed);
  });

  test('a heartbeat says how many users of each lane have pending work', async () => {
    const workerId = uniqueName('worker');
    await ports.workers.report({ workerId, lanes: [3, 4], busy: [0, 7], unresponsive: [], at: at(500) });
    const found = (await ports.workers.all()).find((one) => one.workerId === workerId);
    expect(found).toMatchObject({ lanes: [3, 4], busy: [0, 7] });
  });
});

describeStores('minutes', (ports) => {
  test('add up what all workers counted, and leave out those before a time', async () => {
    const waits = (...counts: number[]) => Array.from({ length: bucketCount }, (_, bucket) => counts[bucket] ?? 0);
    await ports.workers.addToMinute(at(60), { started: 2, done: 1, failed: 0, waits: waits(2) });
    await ports.workers.addToMinute(at(120), { started: 1, done: 0, failed: 1, waits: waits(0, 0, 1) });
    await ports.workers.addToMinute(at(120), { started: 3, done: 2, failed: 1, waits: waits(1, 0, 2) });
    await ports.workers.addToMinute(at(0), { started: 9, done: 9, failed: 9, waits: waits(9) });
    expect(await ports.workers.minutes(at(60))).toEqual([
      { at: at(60), counts: { started: 2, done: 1, failed: 0, waits: waits(2) } },
      { at: at(120), counts: { started: 4, done: 2, failed: 2, waits: waits(1, 0, 3) } },
    ]);
  });
});
