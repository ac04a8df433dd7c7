/** Users whose requests are accepted over HTTP, where what is measured is what the API's callers do to each other. */
import { signToken } from '../../lib/accounts/tokens.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import type { DirectUser, DirectUsers } from './direct-users.ts';

const sessionMs = 3_600_000;
const callTimeoutMs = 20_000;

/** Thrown when the API did not accept a request. The same call may be made again. */
export class NotAcceptedError extends Error {}

export const tokenOf = ({ userId, sessionId }: DirectUser, secret: string): string =>
  signToken({ userId, sessionId }, new Date(Date.now() + sessionMs), secret);

/** @param secret signs tokens, so that nobody has to log in. */
export const sendOverHttp =
  (url: string, secret: string, record: Recorder): DirectUsers['send'] =>
  async (user, work, { limits, sentAt = monotonicMs() } = {}) => {
    const response = await fetch(`${url}/enqueue`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${tokenOf(user, secret)}`,
      },
      body: JSON.stringify({ request: work, ...limits }),
      signal: AbortSignal.timeout(callTimeoutMs),
    });
    const body = (await response.json()) as { seq: number };
    if (response.status !== 202) throw new NotAcceptedError(`The API answered ${response.status}.`);
    record({ kind: 'accepted', userId: user.userId, seq: body.seq, sentAt, at: monotonicMs() });
  };
