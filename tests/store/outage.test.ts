/** What is logged at `info` and above while MongoDB cannot be reached. */
import { expect, test } from '@jest/globals';
import { openStores } from '../../lib/store/stores.ts';
import { info, readableLog, warn } from '../support/log-lines.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';
import { answers, openProxiedStores } from './proxied-stores.ts';

/** Without those that name an operation: a server that is frozen or cut off may also be late with one. */
const outageLines = <Line extends { msg?: unknown }>(lines: Line[]): Line[] =>
  lines.filter(({ msg }) => String(msg).startsWith('MongoDB is'));

test('an unavailable server is logged once for all operations, with the reason, and so is its return', async () => {
  const proxy = await startProxyTo(mongodbUrl(uniqueName('outage')));
  await proxy.cut();
  const { log, lines } = readableLog();
  const stores = openStores({ mongodbUrl: proxy.url, storeTimeoutMs: 500, autoMigrate: 1 }, log);
  const call16Times = async () => {
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(Array.from({ length: 8 }, () => answers(stores.lanes.known())));
    }
  };
  try {
    await call16Times();
    expect(outageLines(lines)).toMatchObject([{ level: warn, msg: 'MongoDB is not available' }]);
    expect(lines[0]?.reason).toContain('ECONNREFUSED');

    await proxy.restore();
    await eventually('MongoDB answers', () => answers(stores.ping()), 20_000);
    expect(outageLines(lines.splice(0)).slice(1)).toMatchObject([{ level: info, msg: 'MongoDB is available again' }]);

    await proxy.cut();
    await call16Times();
    expect(outageLines(lines)).toMatchObject([{ level: warn, msg: 'MongoDB is not available' }]);
    const unfinished = answers(stores.ping());
    await stores.close();
    await unfinished;
    expect(outageLines(lines)).toHaveLength(1);
  } finally {
    await stores.close();
    await proxy.close();
  }
});

test('a count that takes too long is no outage of the server, but any other call that is not answered is', async () => {
  await using proxied = await openProxiedStores('outage');
  const { stores, proxy, lines } = proxied;
  proxy.freeze('from-server');
  const count = stores.ledger.sumSettled('u', { after: 0, upTo: 9 });
  await expect(count).rejects.toMatchObject({ code: 'store-unavailable' });
  expect(lines.splice(0)).toMatchObject([{ level: warn, operation: 'ledger.sumSettled' }]);
  await expect(stores.ledger.status({ userId: 'u', seq: 1 })).rejects.toMatchObject({ code: 'store-unavailable' });
  expect(lines).toMatchObject([{ level: warn, msg: 'MongoDB is not available' }]);
});
