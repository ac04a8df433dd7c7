import { expect, test } from '@jest/globals';
import { uniqueName } from '../support/servers.ts';
import { at, describeStores } from './store-contract.ts';

describeStores('heartbeats', (ports) => {
  test('the newest heartbeat of each worker is kept, with the lanes that it owned and its unresponsive runs', async () => {
    const [first, second] = [uniqueName('worker'), uniqueName('worker')];
    await ports.workers.report({ workerId: first, lanes: [1], unresponsive: ['a'], at: at(100) });
    await ports.workers.report({ workerId: second, lanes: [], unresponsive: [], at: at(101) });
    await ports.workers.report({ workerId: first, lanes: [1, 2], unresponsive: ['b', 'c'], at: at(102) });
    const heartbeats = (await ports.workers.since(at(99))).sort((a, b) => a.at.getTime() - b.at.getTime());
    expect(heartbeats).toEqual([
      { workerId: second, lanes: [], unresponsive: [], at: at(101) },
      { workerId: first, lanes: [1, 2], unresponsive: ['b', 'c'], at: at(102) },
    ]);
  });

  test('heartbeats at or before the given time, and those of removed workers, are left out', async () => {
    const [old, removed] = [uniqueName('worker'), uniqueName('worker')];
    await ports.workers.report({ workerId: old, lanes: [], unresponsive: [], at: at(200) });
    await ports.workers.report({ workerId: removed, lanes: [], unresponsive: [], at: at(201) });
    await ports.workers.remove(removed);
    await ports.workers.remove(removed);
    expect(await ports.workers.since(at(200))).toEqual([]);
  });
});
