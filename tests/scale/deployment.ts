/** What the measurements of scale work on: private servers, and the processes of Lanekeeper that a measurement starts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createPublisher } from '../../lib/broker/publisher.ts';
import type { Config } from '../../lib/config.ts';
import { createLogger } from '../../lib/log.ts';
import { userIdOf } from '../../lib/references.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { openStores } from '../../lib/store/stores.ts';
import type { EntryId } from '../../lib/types.ts';
import { type Child, startChild } from '../../tools/child.ts';
import { freePort } from '../../tools/services/probe.ts';
import { privateMongodb, privateRabbitmq } from '../support/private-servers.ts';
import { testConfig, tokenSecret } from '../support/servers.ts';

export type Note = (text: string) => void;

const processor = fileURLToPath(new URL('./nothing.ts', import.meta.url));

/** @param note told what the processes warn about. */
export const openDeployment = async (overrides: Partial<Config> & Pick<Config, 'lanes'>, note: Note) => {
  const stack = new AsyncDisposableStack();
  const [rabbitmq, mongodb] = await Promise.all([privateRabbitmq(), privateMongodb()]);
  stack.use(rabbitmq);
  stack.use(mongodb);
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-scale-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const config = testConfig({ rabbitmqUrl: rabbitmq.url, mongodbUrl: mongodb.url, autoMigrate: 1, ...overrides });
  const log = createLogger('error');
  const stores = openStores(config, log);
  stack.defer(() => stores.close());
  const publisher = createPublisher(config, log);
  stack.defer(() => publisher.close());
  const deps = { ...stores, publisher, hints: publisher.hints, config, log };

  const start = (name: string, args: string[], own: Record<string, string>): Child => {
    const env = {
      PATH: process.env.PATH,
      MONGODB_URL: config.mongodbUrl,
      RABBITMQ_URL: config.rabbitmqUrl,
      QUEUE_PREFIX: config.queuePrefix,
      LANES: String(config.lanes),
      AUTO_MIGRATE: '1',
      ...own,
    };
    const logFile = join(folder, `${name}.log`);
    const onLine = (line: string): void => {
      if (/"level":[4-6]0/.test(line)) note(`${name}: ${line.slice(0, 300)}`);
    };
    const child = startChild({ name, args, env, logFile, graceMs: 30_000, onLine });
    stack.defer(() => child.kill());
    return child;
  };

  return {
    rabbitmq,
    mongodb,
    stores,
    /** Whether the last of these are done. */
    async areSettled(ids: EntryId[]): Promise<boolean> {
      return (await stores.ledger.readHeads(ids.slice(-500))).every(({ status }) => status === 'done');
    },
    async startConsumer(name: string, own: Record<string, string>): Promise<Child> {
      const port = String(await freePort());
      return start(name, ['functions/consumer.ts'], { WORKERS: '1', PROCESSOR: processor, METRICS_PORT: port, ...own });
    },
    /** Resolves when it answers. */
    async startApi(own: Record<string, string>): Promise<Child & { port: number }> {
      const port = await freePort();
      const always = { PORT: String(port), JWT_SECRET: tokenSecret, LOG_LEVEL: 'warn' };
      const api = start('api', ['functions/api.ts'], { ...always, ...own });
      const answers = () =>
        fetch(`http://127.0.0.1:${port}/livez`).then(
          ({ ok }) => ok,
          () => false,
        );
      await api.until('the API answers', 60_000, answers);
      return { ...api, port };
    },
    /** A request of the user with this number. */
    async accept(user: number, body = '1'): Promise<EntryId> {
      const reference = `user-${user}`;
      const userId = userIdOf(reference);
      const { seq } = await acceptRequest({ userId, reference, body }, deps);
      return { userId, seq };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
};
