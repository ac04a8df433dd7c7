/** Changes of the ledger that become one update. A server spends most of an update on finding its document: for many at once that is one search. */
import type { mongo } from 'mongoose';
import type { LedgerChange } from '../ledger-change.ts';
import { type AttemptEnd, attemptEndOf, loggedAttempts } from './attempt-log.ts';
import { guardOf, updateOf } from './changes.ts';
import type { RequestDocument } from './models.ts';
import { valueFor } from './value-for.ts';

type Update = {
  id: string;
  /** Of the claim of a request that came in a message. */
  digest?: string;
  guard: object;
  set: Record<string, unknown>;
  unset: string[];
  /** How an attempt ended, and when. */
  ended?: AttemptEnd;
  at: Date;
};

/** Characters of a text that may travel in a joint update: the server looks it up in all of them. */
const maxText = 1_024;

const updateIn = (change: LedgerChange): Update => {
  const { _id, digest, ...guard } = guardOf(change);
  const { $set = {}, $unset = {} } = updateOf(change);
  return {
    id: String(_id),
    ...(digest ? { digest: String(digest) } : {}),
    guard,
    set: { ...$set },
    unset: Object.keys($unset),
    ended: attemptEndOf(change),
    at: change.at,
  };
};

const isShort = ({ set }: Update): boolean => {
  const texts = Object.values(set).filter((value) => typeof value !== 'number' && !(value instanceof Date));
  return texts.every((text) => typeof text === 'string' && text.length <= maxText);
};

/** Changes of the same kind have the same guards, and the same fields. */
const kindOf = ({ digest, guard, set, unset, ended }: Update): string =>
  JSON.stringify([digest !== undefined, guard, Object.keys(set), unset, ended?.outcome]);

/** For updates of one kind. */
const pipelineOf = (updates: [Update, ...Update[]]): mongo.Document[] => {
  const [{ set, unset, ended }] = updates;
  const fieldOf = (pick: (update: Update) => unknown) => valueFor(updates.map((update) => [update.id, pick(update)]));
  const fields = Object.keys(set).map((name) => [name, fieldOf((update) => update.set[name])]);
  return [
    ...(ended ? [{ $set: { attemptLog: loggedAttempts({ ...ended, endedAt: fieldOf(({ at }) => at) }) } }] : []),
    { $set: Object.fromEntries(fields) },
    ...(unset.length > 0 ? [{ $unset: unset }] : []),
  ];
};

const joint = (updates: [Update, ...Update[]]): mongo.AnyBulkWriteOperation<RequestDocument> => {
  const digests = updates.flatMap(({ digest }) => digest ?? []);
  const ids = { _id: { $in: updates.map(({ id }) => id) } };
  // A digest contains its entry's id: no other entry of the list has it.
  const filter = { ...updates[0].guard, ...ids, ...(digests.length > 0 ? { digest: { $in: digests } } : {}) };
  return { updateMany: { filter, update: pipelineOf(updates) } };
};

const single = (change: LedgerChange, update: Update): mongo.AnyBulkWriteOperation<RequestDocument> => ({
  updateOne: { filter: guardOf(change), update: update.ended ? pipelineOf([update]) : updateOf(change) },
});

/** One operation for all changes of a kind. Each of them changes an entry of its own. */
export const joinChanges = (changes: LedgerChange[]): mongo.AnyBulkWriteOperation<RequestDocument>[] => {
  const updates = changes.map((change) => ({ change, update: updateIn(change) }));
  const kinds = Map.groupBy(updates, ({ update }, place) => (isShort(update) ? kindOf(update) : place));
  return [...kinds.values()].map((alike) => {
    const [{ change, update }, ...others] = alike as [(typeof alike)[number], ...typeof alike];
    return others.length > 0 ? joint([update, ...others.map((other) => other.update)]) : single(change, update);
  });
};
