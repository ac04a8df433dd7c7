/** One user of a race: an account of its own, which sends requests and follows what becomes of them. */

import { randomKey } from '../../client/random-key.ts';
import { pause } from '../../client/wait.ts';
import { type Person, register } from '../person.ts';
import type { EventPage, Queue, RequestState } from '../types.ts';
import { Score } from './score.ts';

const batchSize = 100;
/** Between two looks at the events of a user. A browser has six connections for each host: twelve streams would not fit. */
const lookEveryMs = 300;

export type Racer = {
  name: string;
  lane: number;
  score: Score;
  /** Enqueues `count` requests, 100 to a call, until the signal aborts. @throws the reason of the signal */
  send(count: number, request: unknown, signal: AbortSignal): Promise<void>;
  /** Follows until the signal aborts. Calls `changed` after each page that brought something. */
  follow(signal: AbortSignal, changed: () => void): Promise<void>;
  /** Ends the session: waiting requests are cancelled, and the queue is deleted. */
  leave(): Promise<void>;
};

type Calls = Pick<Person, 'call' | 'close'>;

const sendBatch = async (
  user: Calls,
  { count, request, signal }: { count: number; request: unknown; signal: AbortSignal },
): Promise<number[]> => {
  // A repeated call is accepted once.
  const requests = Array.from({ length: count }, () => ({ request, key: randomKey() }));
  const { results } = await user.call<{ results: RequestState[] }>('POST', 'enqueue', { body: { requests }, signal });
  return results.map(({ seq }) => seq);
};

const disconnect = async (user: Calls): Promise<void> => {
  await user.call('POST', 'disconnect', { body: { pending: 'cancel' }, keepalive: true });
  user.close();
};

/** Registers `name`. @throws {ApiError} */
export const createRacer = async (name: string): Promise<Racer> => {
  const user = await register({ username: `${name}-${randomKey().slice(0, 8)}`, password: randomKey() });
  const { lane } = await user.call<Queue>('GET', 'queue').catch(async (error) => {
    await disconnect(user).catch(() => undefined);
    throw error;
  });
  const score = new Score();
  return {
    name,
    lane,
    score,
    async send(count, request, signal) {
      for (let left = count; left > 0; left -= batchSize)
        score.accept(await sendBatch(user, { count: Math.min(left, batchSize), request, signal }));
    },
    async follow(signal, changed) {
      let after = '0';
      while (!signal.aborted) {
        const { events, next } = await user.call<EventPage>('GET', 'events', { signal, query: { after } });
        after = next;
        for (const { type, request } of events) score.note(type, request);
        if (events.length > 0) changed();
        else await pause(lookEveryMs, signal);
      }
    },
    leave: () => disconnect(user),
  };
};
