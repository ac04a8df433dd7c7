/** The operators' calls on MongoDB and RabbitMQ, for whoever reaches those and not the API. */
import { stderr } from 'node:process';
import { createPublisher } from '../../lib/broker/publisher.ts';
import { createHealthCheck } from '../../lib/health.ts';
import { deadLettersJson, readCursor, readDecisionCursor } from '../../lib/http/dead-letter-json.ts';
import { decideSelection } from '../../lib/http/decide-selected.ts';
import { entryJson, pageJson, wholeEntryJson } from '../../lib/http/entry-json.ts';
import { maxPageChars } from '../../lib/http/page-text.ts';
import { createLogger, type Logger } from '../../lib/log.ts';
import { workersByToken } from '../../lib/requests/attempts.ts';
import { dropDeadLetter, retryDeadLetter } from '../../lib/requests/dead-letters.ts';
import { findUser } from '../../lib/requests/find-user.ts';
import { createOperations } from '../../lib/requests/operations.ts';
import { userQueueOf } from '../../lib/requests/user-queue.ts';
import { openStores } from '../../lib/store/stores.ts';
import { type LedgerEntry, requestStatuses, type UserQueue } from '../../lib/types.ts';
import { loadStoreConfig } from '../store-config.ts';
import type { OperatorCalls } from './calls.ts';

const exposure = { exposeErrors: 'all' } as const;

const statusOf = (text: string | undefined) => {
  const status = requestStatuses.find((one) => one === text);
  if (text !== undefined && !status) throw new Error(`The status must be one of ${requestStatuses.join(', ')}.`);
  return status;
};

/** Failures are thrown. What is left are warnings, such as a wake that could not be published: a decision then takes effect with the next sweep. */
const warnings = (): Logger =>
  createLogger(
    'warn',
    {},
    {
      write: (line) => {
        const { msg, err } = JSON.parse(line);
        stderr.write(`Warning: ${msg}${err ? ` (${err.message})` : ''}\n`);
      },
    },
  );

export const openDirectCalls = async (): Promise<OperatorCalls> => {
  const config = await loadStoreConfig();
  const log = warnings();
  const stores = openStores(config);
  const publisher = createPublisher(config, log);
  const health = createHealthCheck({
    ping: { mongodb: stores.ping, rabbitmq: publisher.ping },
    clock: stores.clock,
    log,
  });
  const deps = { ...stores, publisher, health, log, config };
  const operations = createOperations(deps);
  await stores.timeKnown();

  const find = (user: string) => findUser(user, deps);
  const queueOf = async (user: string): Promise<UserQueue> => userQueueOf(await find(user), deps);

  return {
    stuck: async (limit) => ({ stuck: await operations.stuck(limit) }),
    deadLetters: async ({ user, reason, after, limit }) => {
      const userId = user === undefined ? undefined : await find(user);
      const query = { userId, reason, after: after === undefined ? undefined : readCursor(String(after)), limit };
      return JSON.parse(deadLettersJson(await operations.deadLetters({ ...query, maxChars: maxPageChars }), limit));
    },
    decide: async (decision, { after, ...selection }) => {
      const decide = decision === 'retry' ? retryDeadLetter : dropDeadLetter;
      if ('items' in selection) return decideSelection(selection, decide, deps);
      const user = 'user' in selection ? selection.user : undefined;
      const cursor = after === undefined ? undefined : readDecisionCursor(after);
      return decideSelection({ user, after: cursor }, decide, deps);
    },
    requests: async (user, { status: text, after, limit }) => {
      const queue = await queueOf(user);
      const query = { status: statusOf(text), after: Number(after ?? 0), limit, maxChars: maxPageChars };
      const { entries, searched } = await operations.list(queue, query);
      return JSON.parse(pageJson(entries, limit, queue.settled, exposure, searched));
    },
    request: async (user, seq) => {
      const queue = await queueOf(user);
      const { entry, settled } = await operations.lookUp(queue, seq);
      const workers = await workersByToken(queue.lane, stores);
      return JSON.parse(wholeEntryJson(entry, settled, exposure, { workers, withRequest: false }));
    },
    decideRequest: async (decision, user, seq) => {
      const { userId, settled } = await queueOf(user);
      const id = { userId, seq };
      const shown = (entry: LedgerEntry) => JSON.parse(entryJson(entry, settled, exposure));
      if (decision === 'cancel') return shown(await operations.cancel(id));
      if (decision === 'skip') return shown(await operations.skip(id));
      if (decision === 'end') return shown((await operations.end(id)).entry);
      const retried = await operations.retry({ userId, sessionId: undefined }, seq);
      return retried.kind === 'again' ? { ...retried.accepted, retryOf: seq } : shown(retried.entry);
    },
    close: async () => {
      await Promise.all([publisher.close(), stores.close()]);
    },
  };
};
