/** What the feed of live events reads: of many users at a time, and without bodies. */
import type { EntryPhase, EventEntry, EventStore, WatchedQueue } from '../ports.ts';
import { entryId } from './changes.ts';
import type { Execute } from './connection.ts';
import { native } from './native.ts';

/** A larger result is not in an event: whoever wants it asks for the request. */
const maxResultBytes = 16 * 1_024;

const shortResult = {
  $cond: [{ $gt: [{ $strLenBytes: { $ifNull: ['$result', ''] } }, maxResultBytes] }, '$$REMOVE', '$result'],
};

const entryFields = {
  ...{ _id: 0, userId: 1, seq: 1, key: 1, status: 1, attempts: 1, limits: 1, error: 1, deadLetter: 1, retryOf: 1 },
  ...{ acceptedAt: 1, startedAt: 1, retryAt: 1, endRequestedAt: 1, settledAt: 1, result: shortResult },
};

const phaseFields = { _id: 0, userId: 1, seq: 1, status: 1, attempts: 1, retryAt: 1 };
const queueFields = { accepted: 1, settled: 1, state: 1, sessions: 1 };

export const eventStore = (execute: Execute): EventStore => {
  const find = <T>(ids: { userId: string; seq: number }[], projection: object): Promise<T[]> =>
    execute(async ({ requests }) => {
      const found = await native(requests).find({ _id: { $in: ids.map(entryId) } }, { projection });
      return found as unknown as T[];
    });
  return {
    queues: (userIds) =>
      execute(async ({ userQueues }) => {
        const found = await native(userQueues).find({ _id: { $in: userIds } }, { projection: queueFields });
        return found.map(({ _id, ...queue }): WatchedQueue => ({ userId: _id, ...queue }));
      }),
    entries: (ids) => find<EventEntry>(ids, entryFields),
    phases: (ids) => find<EntryPhase>(ids, phaseFields),
    firstAfter: (userId, seq) =>
      execute(async ({ requests }) => {
        const options = { projection: { _id: 0, seq: 1 }, sort: { seq: 1 }, limit: 1 } as const;
        const [first] = await native(requests).find({ userId, seq: { $gt: seq } }, options);
        return first?.seq;
      }),
  };
};
