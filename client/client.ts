/** What a client does with the calls of the API, over HTTP or in memory. */
import { type CancelledPart, cancelInParts } from './cancel-all.ts';
import { ClosedError, RequestCancelledError, RequestFailedError } from './errors.ts';
import { Hub } from './events/hub.ts';
import { randomKey } from './random-key.ts';
import type {
  Accepted,
  CallOptions,
  DisconnectOptions,
  LaneEvent,
  LanekeeperClient,
  LaneRequest,
  Limits,
  PageOptions,
  Queue,
  RequestPage,
  RequestState,
} from './types.ts';

export type Until = { signal: AbortSignal };
export type Item = Limits & { request: unknown; key: string };

export type Calls = {
  enqueue(item: Item, until: Until): Promise<Accepted>;
  enqueueMany(items: Item[], until: Until): Promise<Accepted[]>;
  state(seq: number, until: Until): Promise<RequestState>;
  cancel(seq: number, until: Until): Promise<RequestState>;
  /** Cancels those up to `upTo`, or all. */
  cancelAll(upTo: number | undefined, until: Until): Promise<CancelledPart>;
  requests(page: Omit<PageOptions, 'signal'>, until: Until): Promise<RequestPage>;
  queue(until: Until): Promise<Queue>;
  /** All events behind `after`, without an end. */
  follow(options: { after: string; signal: AbortSignal }): AsyncIterable<LaneEvent>;
  disconnect(
    options: Required<Omit<DisconnectOptions, 'signal'>>,
    until: Until,
  ): Promise<{ queue: 'connected' | 'draining' | 'closed' }>;
};

/** The result, or what happened in place of one. */
const outcomeOf = (request: RequestState): unknown => {
  if (request.status === 'done') return request.result;
  throw request.status === 'failed' ? new RequestFailedError(request) : new RequestCancelledError(request);
};

/** `stayConnected`: the connection of the events stays open while the client is. */
export const createClient = (
  calls: Calls,
  { closing, stayConnected = false }: { closing: AbortController; stayConnected?: boolean },
): LanekeeperClient => {
  const closed = closing.signal;
  const close = (): void => closing.abort(new ClosedError('The client was closed.'));
  /** A call ends with the client, or when the caller wants it. */
  const until = ({ signal }: CallOptions = {}): Until => ({
    signal: signal ? AbortSignal.any([signal, closed]) : closed,
  });
  const hub = new Hub(calls, closed);
  if (stayConnected) hub.hold();

  const handleOf = <Result>(seq: number, accepted?: Accepted): LaneRequest<Result> => {
    const isNew = accepted !== undefined;
    const handle: LaneRequest = {
      seq,
      accepted,
      state: (options) => calls.state(seq, until(options)),
      events: (options) => hub.watch(seq, { isNew, ...until(options) }),
      async result(options) {
        for await (const { type, request } of hub.watch(seq, { isNew, ...until(options) })) {
          if (type !== 'settled') continue;
          // A large result is not in the event.
          const isShort = request.status !== 'done' || 'result' in request;
          return outcomeOf(isShort ? request : await calls.state(seq, until(options)));
        }
        return undefined;
      },
      cancel: (options) => calls.cancel(seq, until(options)),
    };
    return handle as LaneRequest<Result>;
  };

  return {
    async enqueue(request, { key = randomKey(), signal, ...limits } = {}) {
      const accepted = await calls.enqueue({ request, key, ...limits }, until({ signal }));
      return handleOf(accepted.seq, accepted);
    },
    async enqueueMany(requests, { keys, signal, ...limits } = {}) {
      const items = requests.map((request, index) => ({ request, key: keys?.[index] ?? randomKey(), ...limits }));
      const all = await calls.enqueueMany(items, until({ signal }));
      return all.map((accepted) => handleOf(accepted.seq, accepted));
    },
    request: (seq) => handleOf(seq),
    cancelAll: (options) => cancelInParts((upTo) => calls.cancelAll(upTo, until(options))),
    requests: ({ signal, ...page } = {}) => calls.requests(page, until({ signal })),
    queue: (options) => calls.queue(until(options)),
    async *events({ after, signal } = {}) {
      const end = until({ signal });
      yield* calls.follow({ after: after ?? String((await calls.queue(end)).settled), ...end });
    },
    queueEvents: (options) => hub.queueEvents(until(options).signal),
    async disconnect({ pending = 'drain', waitSeconds = 0, signal } = {}) {
      const answer = await calls.disconnect({ pending, waitSeconds }, until({ signal }));
      close();
      return answer;
    },
    close,
  };
};
