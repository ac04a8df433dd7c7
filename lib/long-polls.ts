/** Calls that wait for something. All calls that wait for the same thing share one poller, and their number is bounded. */
import type { Config } from './config.ts';
import { BusyError, CallerGoneError, TooManyPollsError } from './errors.ts';
import { createPlaces, type PlaceOwner } from './places.ts';
import { pollUntil } from './poll.ts';
import type { Clock } from './ports.ts';

/** A call that may wait. `signal` aborts when its caller is gone; AWS Lambda does not tell us. */
export type PollingCall = PlaceOwner & { waitMs: number; signal?: AbortSignal };

/**
 * Calls `check` until it returns a value, and resolves to that, or to `undefined` when the call has waited long enough, or had to make
 * room for another user. `what` names what is waited for: for calls with the same `what`, one `check` serves all of them.
 */
export type Wait = <T>(what: string, check: () => Promise<T | undefined>) => Promise<T | undefined>;

export type LongPolls = {
  /**
   * How this call waits. The returned function throws {TooManyPollsError} 429; {BusyError} 503; {CallerGoneError} 499 when the signal
   * aborts.
   */
  waitOf(call: PollingCall): Wait;
  /** How many calls wait. */
  open(): number;
};

type Waiting = PromiseWithResolvers<unknown>;
type Poller = { waiting: Set<Waiting>; stop: AbortController };
type Limits = Pick<Config, 'maxPolls' | 'maxUserPolls' | 'maxSessionPolls' | 'maxKeyPolls'>;

const placesOf = ({ maxPolls, maxUserPolls, maxSessionPolls, maxKeyPolls }: Limits) =>
  createPlaces({
    ...{ all: maxPolls, perUser: maxUserPolls, perSession: maxSessionPolls, perKey: maxKeyPolls },
    tooMany: (whose, limit) => new TooManyPollsError(whose, limit),
    full: (limit) => new BusyError(`${limit} calls wait here; no more may (MAX_POLLS).`),
  });

export const createLongPolls = (clock: Pick<Clock, 'monotonicMs' | 'after'>, limits: Limits): LongPolls => {
  const places = placesOf(limits);
  const pollers = new Map<string, Poller>();

  const end = (what: string, poller: Poller): void => {
    poller.stop.abort();
    if (pollers.get(what) === poller) pollers.delete(what);
  };

  const start = (what: string, check: () => Promise<unknown>): Poller => {
    const poller: Poller = { waiting: new Set(), stop: new AbortController() };
    pollers.set(what, poller);
    const finish = (settle: (waiting: Waiting) => void) => {
      end(what, poller);
      for (const waiting of poller.waiting) settle(waiting);
    };
    pollUntil(clock, Number.POSITIVE_INFINITY, check, poller.stop.signal).then(
      (found) => finish(({ resolve }) => resolve(found)),
      (error) => finish(({ reject }) => reject(error)),
    );
    return poller;
  };

  const waitFor = async <T>(
    call: PollingCall,
    waiting: Waiting,
    what: string,
    check: () => Promise<T | undefined>,
  ): Promise<T | undefined> => {
    if (call.signal?.aborted) throw new CallerGoneError();
    const poller = pollers.get(what) ?? start(what, check);
    const leave = () => waiting.reject(new CallerGoneError());
    poller.waiting.add(waiting);
    call.signal?.addEventListener('abort', leave);
    const cancel = clock.after(call.waitMs, () => waiting.resolve(undefined));
    try {
      return (await waiting.promise) as T | undefined;
    } finally {
      cancel();
      call.signal?.removeEventListener('abort', leave);
      poller.waiting.delete(waiting);
      if (poller.waiting.size === 0) end(what, poller);
    }
  };

  return {
    waitOf: (call) => async (what, check) => {
      const waiting: Waiting = Promise.withResolvers();
      const giveBack = places.take(call, () => waiting.resolve(undefined));
      try {
        return await waitFor(call, waiting, what, check);
      } finally {
        giveBack();
      }
    },
    open: places.taken,
  };
};
