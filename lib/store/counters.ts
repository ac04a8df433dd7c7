/**
 * Counters of rate-limiter-flexible. It reads the clock of the host: a host whose clock is wrong ends delays too early or too late by
 * that much.
 */
import { RateLimiterMongo, RateLimiterRes } from 'rate-limiter-flexible';
import { StoreUnavailableError } from '../errors.ts';
import type { CounterStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import type { Models } from './models.ts';

/** What only counts ignores the limit. */
const noLimit = 1;
/** What gives its own duration, or needs none, ignores that of the limiter. */
const anySeconds = 1;

/**
 * The operations of the limiter, with a time limit on the server as all others have. Concurrent upserts are not atomic: the server may
 * count one and return no document. The counter is read again then. It may have counted others meanwhile: that refuses too many,
 * never too few.
 */
const limited = ({ collection, db }: Models['counters']) => {
  const { maxTimeMS }: { maxTimeMS: number } = { maxTimeMS: db.get('maxTimeMS') };
  return {
    findOneAndUpdate: async (filter: { key: string }, update: object, options: object) => {
      const after =
        (await collection.findOneAndUpdate(filter, update, { ...options, maxTimeMS })) ??
        (await collection.findOne({ key: filter.key }, { maxTimeMS }));
      if (!after) throw new StoreUnavailableError('MongoDB did not say what a counter has counted.');
      return after;
    },
    findOne: (filter: object) => collection.findOne(filter, { maxTimeMS }),
    deleteOne: (filter: object) => collection.deleteOne(filter, { maxTimeMS }),
  };
};

const limiterOn = (models: Models, points: number, duration: number): RateLimiterMongo =>
  new RateLimiterMongo({
    storeClient: { collection: () => limited(models.counters) },
    keyPrefix: '',
    points,
    duration,
    // What is refused once is refused from memory until the counter ends.
    inMemoryBlockOnConsumed: points + 1,
    // `connectStore` creates them.
    disableIndexesCreation: true,
  });

/** Without it two calls at once could start a counter twice. */
const oneOfEachKey = 'counters.key_1';

const countOf = ({ consumedPoints: count, msBeforeNext: msLeft }: RateLimiterRes) => ({ count, msLeft });

export const counterStore = (execute: Execute): CounterStore => {
  const limiters = new Map<string, RateLimiterMongo>();
  const limiterOf = (models: Models, points: number, seconds: number): RateLimiterMongo => {
    const name = `${points}/${seconds}`;
    const limiter = limiters.get(name) ?? limiterOn(models, points, seconds);
    limiters.set(name, limiter);
    return limiter;
  };

  return {
    take: (key, { limit, seconds }) =>
      execute(async (models) => {
        try {
          await limiterOf(models, limit, seconds).consume(key);
          return undefined;
        } catch (refusal) {
          if (refusal instanceof RateLimiterRes) return refusal.msBeforeNext;
          throw refusal;
        }
      }, oneOfEachKey),
    add: (key, seconds) =>
      execute(async (models) => countOf(await limiterOf(models, noLimit, seconds).penalty(key)), oneOfEachKey),
    read: (key) =>
      execute(async (models) => {
        const found = await limiterOf(models, noLimit, anySeconds).get(key);
        return found ? countOf(found) : undefined;
      }),
    set: (key, count, seconds) =>
      execute(async (models) => {
        await limiterOf(models, noLimit, anySeconds).set(key, count, seconds);
      }, oneOfEachKey),
    remove: (key) =>
      execute(async (models) => {
        await limiterOf(models, noLimit, anySeconds).delete(key);
      }),
  };
};
