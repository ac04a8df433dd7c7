/** The operators' calls on MongoDB and RabbitMQ, for whoever reaches those and not the API. */
import { createPublisher } from '../../lib/broker/publisher.ts';
import { deadLettersJson, readCursor, readDecisionCursor } from '../../lib/http/dead-letter-json.ts';
import { decideSelection } from '../../lib/http/decide-selected.ts';
import { entryJson, pageJson } from '../../lib/http/entry-json.ts';
import { searchEnd } from '../../lib/http/input.ts';
import { maxPageChars } from '../../lib/http/page-text.ts';
import { createLogger } from '../../lib/log.ts';
import { cancelRequest } from '../../lib/requests/cancel.ts';
import { dropDeadLetter, listDeadLetters, retryDeadLetter } from '../../lib/requests/dead-letters.ts';
import { findUser } from '../../lib/requests/find-user.ts';
import { lookUpRequest } from '../../lib/requests/look-up.ts';
import { retryRequest, skipRequest } from '../../lib/requests/retry.ts';
import { findStuck } from '../../lib/requests/stuck.ts';
import { openStores } from '../../lib/store/stores.ts';
import { requestStatuses, type UserQueue } from '../../lib/types.ts';
import { loadStoreConfig } from '../store-config.ts';
import type { OperatorCalls } from './calls.ts';

const exposure = { exposeErrors: 'all' } as const;

const statusOf = (text: string | undefined) => {
  const status = requestStatuses.find((one) => one === text);
  if (text !== undefined && !status) throw new Error(`The status must be one of ${requestStatuses.join(', ')}.`);
  return status;
};

export const openDirectCalls = async (): Promise<OperatorCalls> => {
  const config = await loadStoreConfig();
  // Failures are thrown; the log would only repeat them.
  const log = createLogger('silent');
  const stores = openStores(config);
  const publisher = createPublisher(config, log);
  const deps = { ...stores, publisher, log, config };
  await stores.timeKnown();

  const find = (user: string) => findUser(user, deps);
  const queueOf = async (user: string): Promise<UserQueue> => {
    const userId = await find(user);
    const [queue] = await stores.userQueues.get([userId]);
    if (!queue) throw new Error(`${user} has not logged in yet, and has no requests.`);
    return queue;
  };

  return {
    stuck: async (limit) => ({ stuck: await findStuck(limit, deps) }),
    deadLetters: async ({ user, after, limit }) => {
      const userId = user === undefined ? undefined : await find(user);
      const query = { userId, after: after === undefined ? undefined : readCursor(String(after)), limit };
      return JSON.parse(deadLettersJson(await listDeadLetters({ ...query, maxChars: maxPageChars }, deps), limit));
    },
    decide: async (decision, { after, ...selection }) => {
      const decide = decision === 'retry' ? retryDeadLetter : dropDeadLetter;
      if ('items' in selection) return decideSelection(selection, decide, deps);
      const user = 'user' in selection ? selection.user : undefined;
      return decideSelection(
        { user, after: after === undefined ? undefined : readDecisionCursor(after) },
        decide,
        deps,
      );
    },
    requests: async (user, { status: text, after, limit }) => {
      const { userId, settled, accepted } = await queueOf(user);
      const query = { status: statusOf(text), after: Number(after ?? 0), limit };
      const upTo = searchEnd(query);
      const entries = await stores.ledger.page(userId, { ...query, upTo, maxChars: maxPageChars });
      return JSON.parse(pageJson(entries, limit, settled, exposure, upTo < accepted ? upTo : undefined));
    },
    request: async (user, seq) => {
      const { entry, settled } = await lookUpRequest(await queueOf(user), seq, undefined, deps);
      return JSON.parse(entryJson(entry, settled, exposure));
    },
    decideRequest: async (decision, user, seq) => {
      const { userId, settled } = await queueOf(user);
      const id = { userId, seq };
      if (decision === 'cancel') return JSON.parse(entryJson(await cancelRequest(id, deps), settled, exposure));
      if (decision === 'skip') return JSON.parse(entryJson(await skipRequest(id, deps), settled, exposure));
      const retried = await retryRequest({ ...id, sessionId: undefined }, deps);
      return retried.kind === 'again'
        ? { ...retried.accepted, retryOf: seq }
        : JSON.parse(entryJson(retried.entry, settled, exposure));
    },
    close: async () => {
      await Promise.all([publisher.close(), stores.close()]);
    },
  };
};
