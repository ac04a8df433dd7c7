/** What a person does to requests. Each call is safe to repeat, and the API logs who made it and whose request it was about. */
import { ApiError } from '../client/errors.ts';
import { asOperator, type Person, pathOf, type Target } from './person.ts';
import { count, plural } from './text.ts';
import type { RequestState } from './types.ts';

type Action = 'retry' | 'skip' | 'cancel' | 'end';

const endWaitSeconds = 5;

/** Resolves to what happened, in a sentence. */
export const actOn = async (client: Person, target: Target, seq: number, action: Action): Promise<string> => {
  const path = pathOf(target, `requests/${seq}`);
  const query = asOperator(target);
  switch (action) {
    case 'cancel':
      await client.call('DELETE', path, { query });
      return `Request ${seq} was cancelled.`;
    case 'skip':
      await client.call('POST', `${path}/skip`, { query });
      return `Request ${seq} was skipped: those behind it run.`;
    case 'end': {
      const ended = await client.call<RequestState>('POST', `${path}/end`, { query: { wait: endWaitSeconds } });
      return ended.settledAt ? `The run of request ${seq} has ended.` : `The run of request ${seq} is ending.`;
    }
    case 'retry': {
      const { retryOf, seq: again } = await client.call<RequestState>('POST', `${path}/retry`, { query });
      return retryOf === seq && again !== seq
        ? `Request ${seq} runs again as request ${again}.`
        : `Request ${seq} runs again.`;
    }
  }
};

const atATime = 4;

/** The last first, so that none of them starts because those before it are gone. */
export const cancelMany = async (client: Person, target: Target, seqs: number[]): Promise<string> => {
  const left = [...seqs];
  let cancelled = 0;
  let refused = 0;
  const work = async (): Promise<void> => {
    for (let seq = left.pop(); seq !== undefined; seq = left.pop())
      try {
        await actOn(client, target, seq, 'cancel');
        cancelled += 1;
      } catch (error) {
        if (!(error instanceof ApiError) || error.problem.code !== 'not-cancellable') throw error;
        refused += 1;
      }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  return `${plural(cancelled, 'request was', 'requests were')} cancelled.${refused ? ` ${count(refused)} ran already.` : ''}`;
};
