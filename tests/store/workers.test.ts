import { expect, test } from '@jest/globals';
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
      await ports.workers.report({ workerId, lanes: [], unresponsive: [], demand, at: at(400) });
      const found = (await ports.workers.all()).find((one) => one.workerId === workerId);
      expect(found?.demand).toEqual(demand);
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
});
