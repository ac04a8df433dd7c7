/** The indexes that this version needs, and how those of a database differ from them. */
import type { mongo } from 'mongoose';
import type { Models } from './models.ts';

export type NeededIndex = {
  collection: keyof Models;
  name: string;
  key: mongo.IndexSpecification;
  unique: boolean;
  options: object;
};

/** An index of the same name that is not the one that is needed. */
export type IndexConflict = { index: NeededIndex; found: string };

/** An index that an earlier version needed, and the name that it has in the database. */
export type ObsoleteIndex = { collection: keyof Models; name: string };

export type IndexReport = { missing: NeededIndex[]; conflicts: IndexConflict[]; obsolete: ObsoleteIndex[] };

type FoundIndex = Record<string, unknown> & { name: string; key: object };

const namespaceNotFound = 26;

/** What earlier versions created and nothing reads any more. Add an index here when it leaves the models. */
const noLongerNeeded: { collection: keyof Models; key: object }[] = [
  { collection: 'userQueues', key: { state: 1, updatedAt: 1 } },
  { collection: 'userQueues', key: { state: 1, updatedAt: 1, _id: 1 } },
];

/** As the driver names an index that is given no name. */
const nameOf = (key: object): string => Object.entries(key).flat().join('_');

const needed = (models: Models): NeededIndex[] =>
  (Object.keys(models) as (keyof Models)[]).flatMap((collection) =>
    models[collection].schema.indexes().map(([key, { background: _, ...options }]) => ({
      collection,
      name: nameOf(key),
      key: key as mongo.IndexSpecification,
      unique: options.unique === true,
      options,
    })),
  );

/** What makes two indexes the same, as text. */
const essence = (
  key: unknown,
  { unique, partialFilterExpression, expireAfterSeconds }: Record<string, unknown>,
): string => JSON.stringify({ key, unique: unique === true, partialFilterExpression, expireAfterSeconds });

const foundIn = async (models: Models, collection: keyof Models): Promise<FoundIndex[]> => {
  try {
    const { collection: found, db } = models[collection];
    return (await found.listIndexes({ maxTimeMS: db.get('maxTimeMS') }).toArray()) as FoundIndex[];
  } catch (error) {
    if ((error as { code?: unknown }).code === namespaceNotFound) return [];
    throw error;
  }
};

/** Reads the indexes of all collections. A collection that does not exist has none. */
export const compareIndexes = async (models: Models): Promise<IndexReport> => {
  const report: IndexReport = { missing: [], conflicts: [], obsolete: [] };
  const collections = Object.keys(models) as (keyof Models)[];
  const found = new Map(
    await Promise.all(collections.map(async (name) => [name, await foundIn(models, name)] as const)),
  );
  for (const index of needed(models)) {
    const existing = found.get(index.collection) ?? [];
    const wanted = essence(index.key, index.options as Record<string, unknown>);
    if (existing.some((one) => essence(one.key, one) === wanted)) continue;
    const other = existing.find(({ name }) => name === index.name);
    if (other) report.conflicts.push({ index, found: essence(other.key, other) });
    else report.missing.push(index);
  }
  for (const { collection, key } of noLongerNeeded) {
    const left = (found.get(collection) ?? []).filter((one) => essence(one.key, one) === essence(key, {}));
    report.obsolete.push(...left.map(({ name }) => ({ collection, name })));
  }
  return report;
};

export const titleOf = ({ collection, name }: Pick<NeededIndex, 'collection' | 'name'>): string =>
  `${collection}.${name}`;
