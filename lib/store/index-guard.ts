/** Finds out once per process whether the database has its indexes. Only calls that depend on a missing unique index fail. */
import { NotMigratedError, StoreUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { logSampled } from '../log-sampled.ts';
import { sharePromise } from '../shared-promise.ts';
import { compareIndexes, type NeededIndex, titleOf } from './indexes.ts';
import type { Models } from './models.ts';
import { asStoreError } from './unavailable.ts';

/** The unique indexes on which operations depend. */
export type UniqueIndex = 'accounts.name_1' | 'apiKeys.name_1' | 'counters.key_1' | 'requests.userId_1_key_1';

/** How often a process looks again while something is missing. */
const lookAgainMs = 5_000;

/** How long a process waits after a build that failed: a person has to do something first. */
const buildAgainMs = 60_000;

type Build = (which: (index: NeededIndex) => boolean) => Promise<unknown>;

type GuardOptions = {
  models: Models;
  log: Pick<Logger, 'warn' | 'info'>;
  /** Creates missing indexes. Absent where only `lanekeeper migrate` may do that. */
  build: Build | undefined;
};

export type IndexGuard = {
  /** Call it before an operation. `needs`: the unique index on which the operation depends, or all. @throws {NotMigratedError} */
  check(needs?: UniqueIndex | 'all'): Promise<void>;
  /** The titles of the missing indexes, also of those that only make calls faster. None before the first look. */
  missing(): string[];
  /** Resolves when no index is being created. */
  settled(): Promise<void>;
  /** The database was dropped. */
  forget(): void;
};

const throwIfAway = (error: unknown): void => {
  if (asStoreError(error) instanceof StoreUnavailableError) throw error;
};

/** MongoDB's code for a missing privilege. */
const unauthorized = 13;

const missingText = 'indexes are missing: run lanekeeper migrate';

const readAbsent = async (models: Models, log: GuardOptions['log']): Promise<NeededIndex[]> => {
  const report = await compareIndexes(models).catch((error) => {
    if (error.code !== unauthorized) throw error;
    log.warn({ err: error }, 'could not read the indexes; nobody checks that they are there');
    return { missing: [], conflicts: [], obsolete: [] };
  });
  return [...report.missing, ...report.conflicts.map(({ index }) => index)];
};

/** First the unique ones: calls wait for those. */
const buildInOrder = (create: Build, built: (which: 'unique' | 'all') => void) => {
  const unique = create((index) => index.unique).then(() => built('unique'));
  const all = unique.then(() => create(() => true)).then(() => built('all'));
  return { unique, all };
};

export const guardIndexes = ({ models, log, build }: GuardOptions): IndexGuard => {
  /** The titles of what is missing, after the last look. */
  let missing: { all: string[]; unique: string[] } | undefined;
  let lookedAt = 0;
  let buildAgainAt = Number.NEGATIVE_INFINITY;
  /** How often a build has changed what is missing. */
  let changes = 0;
  let building: { unique: Promise<void>; all: Promise<void> } | undefined;

  const look = sharePromise(async (forget) => {
    const changesBefore = changes;
    const absent = await readAbsent(models, log);
    forget();
    // It may have read the indexes before a build ended that has ended now.
    if (missing && changes !== changesBefore) return;
    const all = absent.map(titleOf);
    if (all.length > 0 && !build && missing?.all.join() !== all.join()) log.warn({ indexes: all }, missingText);
    if (all.length === 0 && missing) log.info('all indexes are there');
    missing = { all, unique: absent.filter(({ unique }) => unique).map(titleOf) };
    lookedAt = performance.now();
  });

  /** A server that is away is not logged here, and the next call tries again. */
  const buildFailed = (error: unknown): void => {
    if (asStoreError(error) instanceof StoreUnavailableError) missing = undefined;
    else {
      logSampled(log, 'warn', { err: error }, 'could not create the indexes');
      buildAgainAt = performance.now() + buildAgainMs;
      // It may have created some.
      lookedAt = Number.NEGATIVE_INFINITY;
    }
  };

  const built = (which: 'unique' | 'all'): void => {
    changes += 1;
    if (missing) missing[which] = [];
  };

  const startBuild = (create: Build): void => {
    const { unique, all } = buildInOrder(create, built);
    const ended = all.catch(buildFailed).finally(() => {
      building = undefined;
    });
    building = { unique, all: ended };
  };

  const isDue = () => !missing || (missing.all.length > 0 && performance.now() - lookedAt > lookAgainMs);

  const isBuildDue = () => !building && missing && missing.all.length > 0 && performance.now() >= buildAgainAt;

  const missingOf = (needs: UniqueIndex | 'all'): string[] =>
    missing?.unique.filter((title) => needs === 'all' || title === needs) ?? [];

  return {
    async check(needs) {
      if (isDue()) {
        await look.get();
        if (build && isBuildDue()) startBuild(build);
      }
      if (!needs) return;
      if (missingOf(needs).length > 0) await building?.unique.catch(throwIfAway);
      if (missingOf(needs).length > 0) throw new NotMigratedError(missingOf(needs));
    },
    missing: () => missing?.all ?? [],
    settled: async () => building?.all,
    forget() {
      missing = undefined;
    },
  };
};
