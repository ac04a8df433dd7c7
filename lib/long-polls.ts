/** Calls that wait for something. All calls that wait for the same thing share one poller, and their number is bounded. */
import type { Config } from './config.ts';
import { BusyError, CallerGoneError, TooManyPollsError } from './errors.ts';
import { pollUntil } from './poll.ts';
import type { Clock } from './ports.ts';

/** Who waits: a session of a user, or a back end with an API key, for whichever users. */
type Waiter = { userId: string; sessionId: string; keyId?: undefined } | { keyId: string; sessionId?: undefined };

/** A call that may wait. `signal` aborts when its caller is gone; AWS Lambda does not tell us. */
export type PollingCall = Waiter & { waitMs: number; signal?: AbortSignal };

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

type Place = { sessionId: string | undefined; end: () => void };

/** Whose places the calls share. */
const ownerOf = (call: PollingCall): string => (call.keyId === undefined ? `user ${call.userId}` : `key ${call.keyId}`);

/** @throws {TooManyPollsError} 429 */
const checkLimits = (own: Place[], { keyId, sessionId }: PollingCall, limits: Limits): void => {
  const { maxUserPolls, maxSessionPolls, maxKeyPolls } = limits;
  if (keyId !== undefined) {
    if (own.length >= maxKeyPolls) throw new TooManyPollsError('key', maxKeyPolls);
    return;
  }
  const ofSession = own.filter((place) => place.sessionId === sessionId);
  if (ofSession.length >= maxSessionPolls) throw new TooManyPollsError('session', maxSessionPolls);
  if (own.length >= maxUserPolls) throw new TooManyPollsError('user', maxUserPolls);
};

/**
 * Counts the calls that wait. When the process is full, a call of an owner with at least two fewer than the owner with the most takes the
 * place of that owner's oldest one, which `end` ends. With one fewer, the two owners would take that place from each other for ever.
 *
 * `take` returns what gives the place of a call back.
 */
const createPlaces = (limits: Limits) => {
  const { maxPolls } = limits;
  const byOwner = new Map<string, Set<Place>>();
  let size = 0;

  const giveBack = (owner: string, place: Place): void => {
    const own = byOwner.get(owner);
    if (!own?.delete(place)) return;
    size -= 1;
    if (own.size === 0) byOwner.delete(owner);
  };

  const makeRoomFor = (count: number): void => {
    let most: { owner: string; places: Set<Place> } | undefined;
    for (const [owner, places] of byOwner) {
      if (places.size > (most?.places.size ?? 0)) most = { owner, places };
    }
    const [oldest] = most?.places ?? [];
    if (!most || !oldest || count + 1 >= most.places.size)
      throw new BusyError(`${maxPolls} calls wait here; no more may (MAX_POLLS).`);
    giveBack(most.owner, oldest);
    oldest.end();
  };

  const take = (call: PollingCall, end: () => void): (() => void) => {
    const owner = ownerOf(call);
    const own = [...(byOwner.get(owner) ?? [])];
    checkLimits(own, call, limits);
    if (size >= maxPolls) makeRoomFor(own.length);
    const place = { sessionId: call.sessionId, end };
    byOwner.set(owner, (byOwner.get(owner) ?? new Set()).add(place));
    size += 1;
    return () => giveBack(owner, place);
  };
  return { take, taken: () => size };
};

export const createLongPolls = (clock: Pick<Clock, 'monotonicMs' | 'after'>, limits: Limits): LongPolls => {
  const places = createPlaces(limits);
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
