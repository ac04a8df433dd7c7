/** What a person does to requests. Each call is safe to repeat, and the API logs who made it and whose request it was about. */
import { cancelInParts } from '../client/cancel-all.ts';
import { asOperator, type Person, pathOf, type Target } from './person.ts';
import { plural } from './text.ts';
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

/** All that wait to start or for their next attempt, in as many calls as that takes. */
export const cancelWaiting = async (client: Person, target: Target): Promise<string> => {
  const path = pathOf(target, 'requests/cancel');
  const query = asOperator(target);
  const cancelled = await cancelInParts((upTo) => client.call('POST', path, { query, body: { all: true, upTo } }));
  return `${plural(cancelled, 'request was', 'requests were')} cancelled.`;
};
