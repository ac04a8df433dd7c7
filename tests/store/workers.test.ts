import { expect, test } from '@jest/globals';
import { uniqueName } from '../support/servers.ts';
import { at, describeStores } from './store-contract.ts';

describeStores('signs of life', (ports) => {
  test('the newest sign of each worker is kept, with the lanes it owned', async () => {
    const [first, second] = [uniqueName('worker'), uniqueName('worker')];
    await ports.workers.report({ workerId: first, lanes: [1], at: at(100) });
    await ports.workers.report({ workerId: second, lanes: [], at: at(101) });
    await ports.workers.report({ workerId: first, lanes: [1, 2], at: at(102) });
    const signs = (await ports.workers.since(at(99))).sort((a, b) => a.at.getTime() - b.at.getTime());
    expect(signs).toEqual([
      { workerId: second, lanes: [], at: at(101) },
      { workerId: first, lanes: [1, 2], at: at(102) },
    ]);
  });

  test('signs at or before the asked time, and of removed workers, are left out', async () => {
    const [old, removed] = [uniqueName('worker'), uniqueName('worker')];
    await ports.workers.report({ workerId: old, lanes: [], at: at(200) });
    await ports.workers.report({ workerId: removed, lanes: [], at: at(201) });
    await ports.workers.remove(removed);
    await ports.workers.remove(removed);
    expect(await ports.workers.since(at(200))).toEqual([]);
  });
});
