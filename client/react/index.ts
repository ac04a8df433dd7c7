/** `@lanekeeper/client/react`: what a page shows of a request and of the queue. */
import { useEffect, useState } from 'react';
import type { LanekeeperClient, QueueProgress, RequestState } from '../types.ts';

/** `error`: the API refuses, or the client was closed. A request that failed is no such error: look at its `status`. */
export type Followed<Value> = { value?: Value; error?: Error };

/** Follows while the component is shown. Begins again when the client or the `seq` changes. */
const useFollowed = <Value>(
  client: LanekeeperClient | undefined,
  seq: number | undefined,
  follow: ((signal: AbortSignal) => AsyncIterable<Value>) | undefined,
): Followed<Value> => {
  const [followed, setFollowed] = useState<Followed<Value>>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: `follow` is another function each time.
  useEffect(() => {
    setFollowed({});
    if (!follow) return undefined;
    const over = new AbortController();
    const read = async (): Promise<void> => {
      for await (const value of follow(over.signal)) if (!over.signal.aborted) setFollowed({ value });
    };
    read().catch((error) => {
      if (!over.signal.aborted) setFollowed((before) => ({ ...before, error }));
    });
    return () => over.abort();
  }, [client, seq]);
  return followed;
};

async function* statesOf<Result>(client: LanekeeperClient, seq: number, signal: AbortSignal) {
  for await (const { request } of client.request<Result>(seq).events({ signal })) yield request;
}

/** The state of a request, with `position` while it waits and `result` when it is done. Without a `seq`, nothing yet. */
export const useRequest = <Result = unknown>(
  client: LanekeeperClient | undefined,
  seq: number | undefined,
): { request?: RequestState<Result>; error?: Error } => {
  const follow =
    client && seq !== undefined ? (signal: AbortSignal) => statesOf<Result>(client, seq, signal) : undefined;
  const { value, error } = useFollowed(client, seq, follow);
  return { request: value, error };
};

/** How far the queue has come. */
export const useQueue = (client: LanekeeperClient | undefined): { queue?: QueueProgress; error?: Error } => {
  const follow = client && ((signal: AbortSignal) => client.queueEvents({ signal }));
  const { value, error } = useFollowed(client, undefined, follow);
  return { queue: value, error };
};
