/** The queue of a user, live: what is pending in its order, and what has been settled, newest first. */
import { useEffect, useState } from 'preact/hooks';
import type { QueueProgress, RequestState } from '../client/types.ts';
import { returns } from './away.ts';
import { asOperator, type Person, pathOf, type Target } from './person.ts';
import { useSource } from './source.ts';
import type { Queue, RequestPage } from './types.ts';

/** So much is kept of what was settled. */
const keptSettled = 500;
const pageSize = 25;
/** So much is shown at once; events bring the rest of a long queue. */
const firstPending = 100;
/** Several events within this time are shown at once. */
const gatherMs = 60;

export const isSettled = ({ status }: Pick<RequestState, 'status'>): boolean =>
  status === 'done' || status === 'failed' || status === 'cancelled' || status === 'abandoned';

export type LiveQueue = {
  queue?: QueueProgress;
  pending: RequestState[];
  /** How many are pending, also while not all of them have been read. */
  total: number;
  settled: RequestState[];
  /** Whether older requests than those shown may exist. */
  hasOlder: boolean;
  error?: Error;
  isReady: boolean;
  /** Changes with each event. */
  version: number;
  loadOlder(): void;
};

type Kept = Map<number, RequestState>;

const nothing = { pending: [], total: 0, settled: [], hasOlder: false, isReady: false, version: 0 };

const sorted = (kept: Kept): Pick<LiveQueue, 'pending' | 'settled'> => {
  const all = [...kept.values()].sort((one, other) => one.seq - other.seq);
  const settled = all.filter(isSettled).reverse();
  for (const { seq } of settled.splice(keptSettled)) kept.delete(seq);
  return { pending: all.filter((request) => !isSettled(request)), settled };
};

/** Follows until the signal aborts. Returns how to look further back. */
const followQueue = (
  { person, target, signal }: { person: Person; target: Target; signal: AbortSignal },
  show: (state: Omit<LiveQueue, 'loadOlder'>) => void,
): (() => void) => {
  const kept: Kept = new Map();
  let queue: QueueProgress | undefined;
  let oldest = 0;
  let isReady = false;
  let isWhole = false;
  let version = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const showNow = (error?: Error): void => {
    timer = undefined;
    version += 1;
    if (signal.aborted) return;
    const lists = sorted(kept);
    const known = lists.pending.length;
    const total = isWhole ? known : Math.max(known, queue?.pending ?? 0);
    show({ ...lists, total, queue, hasOlder: oldest > 0, isReady, version, error });
  };
  const showSoon = (): void => {
    if (timer === undefined) timer = setTimeout(showNow, gatherMs);
  };
  const read = async <Body>(path: string, query: object = {}): Promise<Body> =>
    person.call('GET', pathOf(target, path), { signal, query: { ...query, ...asOperator(target) } });
  const readOlder = async (): Promise<void> => {
    const before = oldest;
    const after = Math.max(0, before - pageSize);
    const { requests } = await read<RequestPage>('requests', { after, limit: pageSize });
    for (const request of requests) if (request.seq <= before && !kept.has(request.seq)) kept.set(request.seq, request);
    oldest = after;
    showSoon();
  };
  const run = async (): Promise<void> => {
    const { accepted, settled, pending, state } = await read<Queue>('queue');
    queue = { accepted, settled, pending, state };
    oldest = settled;
    if (settled > 0) await readOlder();
    if (pending > 0) {
      const { requests } = await read<RequestPage>('requests', { after: settled, limit: firstPending });
      for (const request of requests) kept.set(request.seq, request);
    }
    isReady = true;
    showSoon();
    for await (const event of person.events(target, { after: String(settled), signal })) {
      if (event.type === 'queue') {
        queue = event.queue;
        isWhole = true;
      } else kept.set(event.request.seq, event.request);
      showSoon();
    }
  };
  run().catch(showNow);
  return () => void readOlder().catch(() => undefined);
};

export const useLiveQueue = (person: Person, target: Target): LiveQueue => {
  const [state, setState] = useState<LiveQueue>({ ...nothing, loadOlder: () => undefined });
  const returned = useSource(returns);
  // An error, such as a call that was refused while the API was away, is forgotten when it is back.
  const attempt = state.error ? returned : 0;
  useEffect(() => {
    const over = new AbortController();
    setState({ ...nothing, loadOlder: () => undefined });
    const loadOlder = followQueue({ person, target, signal: over.signal }, (shown) =>
      setState({ ...shown, loadOlder }),
    );
    return () => over.abort();
  }, [person, target, attempt]);
  return state;
};
