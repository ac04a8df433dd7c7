/** How a call reaches the API: with a token, and again when it may succeed later. Every call of the API is safe to repeat. */
import { retryAfterOf, UnreachableError } from './errors.ts';
import type { Session } from './session.ts';
import { backOffMs, pause } from './wait.ts';

export type Send = (request: Request) => Promise<Response>;

/** Longer than a call may wait, which is 20 s. */
const tryTimeoutMs = 30_000;
const firstPauseMs = 200;

/** Reads the whole answer, so that a connection that breaks in the middle is a failure of this try. */
const readWhole = async (response: Response): Promise<Response> => {
  const text = await response.text();
  const { status, headers } = response;
  return new Response(text || null, { status, headers });
};

/** How long the API asks to wait, if the same call may succeed later. */
const pauseAfter = ({ status, headers }: Response): number | undefined => {
  const afterSeconds = retryAfterOf(headers);
  // A 429 without it will be the same next time.
  if (status === 429) return afterSeconds === undefined ? undefined : afterSeconds * 1_000;
  return status >= 500 ? (afterSeconds ?? 0) * 1_000 : undefined;
};

/** @throws {UnreachableError} when nothing has answered by then. The last answer is returned, whatever it says. */
export const retrying =
  (send: Send, giveUpAfterMs: number): Send =>
  async (request) => {
    const until = Date.now() + giveUpAfterMs;
    for (let failures = 0; ; failures += 1) {
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(tryTimeoutMs)]);
      const answered = await send(new Request(request.clone(), { signal }))
        .then(readWhole)
        .catch((error: Error) => error);
      request.signal.throwIfAborted();
      const isAnswer = answered instanceof Response;
      const askedMs = isAnswer ? pauseAfter(answered) : 0;
      if (isAnswer && askedMs === undefined) return answered;
      const waitMs = (askedMs ?? 0) + backOffMs(failures, firstPauseMs);
      if (Date.now() + waitMs < until) await pause(waitMs, request.signal);
      else if (isAnswer) return answered;
      else throw new UnreachableError(`${new URL(request.url).origin} does not answer.`, { cause: answered });
    }
  };

/** Sends the session's token, and once more with another one when it is refused. */
export const authorized =
  (send: Send, session: Session): Send =>
  async (request) => {
    const sendWith = (token: string): Promise<Response> => {
      const headers = new Headers(request.headers);
      headers.set('authorization', `Bearer ${token}`);
      return send(new Request(request.clone(), { headers }));
    };
    const token = await session.token(request.signal);
    const response = await sendWith(token);
    if (response.status !== 401 || !session.refused(token)) return response;
    await response.body?.cancel();
    return sendWith(await session.token(request.signal));
  };
