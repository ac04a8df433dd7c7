/** Changes of the ledger that become one update. A server spends most of an update on finding its document: for many at once that is one search. */
import type { mongo } from 'mongoose';
import type { LedgerChange } from '../ledger-change.ts';
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
};

/** Characters of a text that may travel in a joint update: the server looks it up in all of them. */
const maxText = 1_024;

/** Of changes of the same kind: the same guards, and the same fields. `undefined`: the change is an update of its own. */
const updateIn = (change: LedgerChange): Update | undefined => {
  const { _id, digest, ...guard } = guardOf(change);
  const { $set = {}, $unset = {} } = updateOf(change);
  const texts = Object.values($set).filter((value) => typeof value !== 'number' && !(value instanceof Date));
  const isShort = texts.every((text) => typeof text === 'string' && text.length <= maxText);
  if (!isShort) return undefined;
  return {
    id: String(_id),
    ...(digest ? { digest: String(digest) } : {}),
    guard,
    set: { ...$set },
    unset: Object.keys($unset),
  };
};

const kindOf = ({ digest, guard, set, unset }: Update): string =>
  JSON.stringify([digest !== undefined, guard, Object.keys(set), unset]);

const joint = (updates: Update[]): mongo.AnyBulkWriteOperation<RequestDocument> => {
  const ids = updates.map(({ id }) => id);
  const digests = updates.flatMap(({ digest }) => digest ?? []);
  const [{ guard, set, unset } = { guard: {}, set: {}, unset: [] }] = updates;
  const fieldOf = (name: string) => valueFor(updates.map((update) => [update.id, update.set[name]]));
  const fields = Object.keys(set).map((name) => [name, fieldOf(name)]);
  // A digest contains its entry's id: no other entry of the list has it.
  const filter = { ...guard, _id: { $in: ids }, ...(digests.length > 0 ? { digest: { $in: digests } } : {}) };
  const update = [{ $set: Object.fromEntries(fields) }, ...(unset.length > 0 ? [{ $unset: unset }] : [])];
  return { updateMany: { filter, update } };
};

const single = (change: LedgerChange): mongo.AnyBulkWriteOperation<RequestDocument> => ({
  updateOne: { filter: guardOf(change), update: updateOf(change) },
});

/** One operation for all changes of a kind. Each of them changes an entry of its own. */
export const joinChanges = (changes: LedgerChange[]): mongo.AnyBulkWriteOperation<RequestDocument>[] => {
  const updates = changes.map((change) => ({ change, update: updateIn(change) }));
  const kinds = Map.groupBy(updates, ({ update }, place) => (update ? kindOf(update) : place));
  return [...kinds.values()].flatMap((alike) => {
    const together = alike.flatMap(({ update }) => update ?? []);
    return together.length > 1 ? joint(together) : alike.map(({ change }) => single(change));
  });
};
