/** Stores behind a proxy that can freeze the connection to MongoDB or cut it. */
import { openStores } from '../../lib/store/stores.ts';
import { readableLog } from '../support/log-lines.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { startProxyTo } from '../support/tcp-proxy.ts';
import { eventually } from '../support/world.ts';

export const answers = (call: Promise<unknown>) =>
  call.then(
    () => true,
    () => false,
  );

/** Resolves once MongoDB answers through the proxy. Nothing has been logged then. */
export const openProxiedStores = async (name: string) => {
  await using opened = new AsyncDisposableStack();
  const proxy = await startProxyTo(mongodbUrl(uniqueName(name)));
  opened.defer(() => proxy.close());
  const { log, lines } = readableLog();
  const stores = openStores({ mongodbUrl: proxy.url, storeTimeoutMs: 1_000, autoMigrate: 1 }, log);
  opened.defer(() => stores.close());
  await eventually('MongoDB answers', () => answers(stores.ping()), 20_000);
  lines.splice(0);
  const ended = opened.move();
  return { stores, proxy, lines, [Symbol.asyncDispose]: () => ended.disposeAsync() };
};
