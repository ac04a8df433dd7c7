/** Finds out once per process whether the database has its indexes. Only calls that depend on a missing unique index fail. */
import { AppError, StoreUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { sharePromise } from '../shared-promise.ts';
import { compareIndexes, type NeededIndex, titleOf } from './indexes.ts';
import type { Models } from './models.ts';
import { asStoreError } from './unavailable.ts';

/** Thrown when an index is missing without which a user name or an Idempotency-Key might be taken twice, or a login not be counted. */
export class NotMigratedError extends AppError {
  constructor(missing: string[]) {
    super(`The database lacks a unique index (${missing.join(', ')}). Run npm run migrate.`, {
      code: 'not-migrated',
      status: 503,
      retryAfterSeconds: 10,
    });
  }
}

/** How often a process looks again while something is missing. */
const lookAgainMs = 5_000;

type Build = (which: (index: NeededIndex) => boolean) => Promise<unknown>;

type GuardOptions = {
  models: Models;
  log: Pick<Logger, 'warn' | 'info'>;
  /** Creates missing indexes. Absent where only `npm run migrate` may do that. */
  build: Build | undefined;
};

export type IndexGuard = {
  /** Call it before an operation. `unique`: the operation depends on a unique index. @throws {NotMigratedError} */
  check(unique: boolean): Promise<void>;
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

const missingText = 'indexes are missing: run npm run migrate';

export const guardIndexes = ({ models, log, build }: GuardOptions): IndexGuard => {
  /** The titles of what is missing, after the last look. */
  let missing: { all: string[]; unique: string[] } | undefined;
  let lookedAt = 0;
  let building: { unique: Promise<void>; all: Promise<void> } | undefined;

  const look = sharePromise(async (forget) => {
    const report = await compareIndexes(models).catch((error) => {
      if (error.code !== unauthorized) throw error;
      log.warn({ err: error }, 'could not read the indexes; nobody checks that they are there');
      return { missing: [], conflicts: [] };
    });
    const absent = [...report.missing, ...report.conflicts.map(({ index }) => index)];
    const all = absent.map(titleOf);
    if (all.length > 0 && !build && missing?.all.join() !== all.join()) log.warn({ indexes: all }, missingText);
    if (all.length === 0 && missing) log.info('all indexes are there');
    missing = { all, unique: absent.filter(({ unique }) => unique).map(titleOf) };
    lookedAt = performance.now();
    forget();
  });

  /** A server that is away is not logged here, and the next call tries again. */
  const buildFailed = (error: unknown): void => {
    if (asStoreError(error) instanceof StoreUnavailableError) missing = undefined;
    else log.warn({ err: error }, 'could not create the indexes');
  };

  /** First the unique ones: calls wait for those. */
  const startBuild = (create: Build): void => {
    const unique = create((index) => index.unique).then(() => {
      if (missing) missing.unique = [];
    });
    const all = unique
      .then(() => create(() => true))
      .then(() => {
        if (missing) missing.all = [];
      })
      .catch(buildFailed)
      .finally(() => {
        building = undefined;
      });
    building = { unique, all };
  };

  const isDue = () => !missing || (missing.all.length > 0 && performance.now() - lookedAt > lookAgainMs);

  return {
    async check(unique) {
      if (isDue()) {
        await look.get();
        if (build && !building && missing && missing.all.length > 0) startBuild(build);
      }
      if (unique) await building?.unique.catch(throwIfAway);
      if (unique && missing && missing.unique.length > 0) throw new NotMigratedError(missing.unique);
    },
    settled: async () => building?.all,
    forget() {
      missing = undefined;
    },
  };
};
