/** Where the token of a call comes from, and another one when it does not work any more. */
import { unlessAborted } from './wait.ts';

export type Credentials =
  /** Logs in, and again before the session ends. */
  | { username: string; password: string }
  /** The token of a session. */
  | { token: string }
  /** Asked for a token at the first call, and again when the API refuses the last one. */
  | { getToken: () => string | Promise<string> }
  /** For back ends, never for a browser: an API key, and the user by its reference. */
  | { key: string; user: string };

export type Session = {
  /** The token for the next call. */
  token(signal: AbortSignal): Promise<string>;
  /** The API refused this token. Returns whether there may be another one. */
  refused(token: string): boolean;
};

type Grant = { token: string; renewAt: number };

/** So much of a session's time is left when it is renewed: a tenth, but no more than a minute. */
const marginMs = (lifetimeMs: number): number => Math.min(60_000, lifetimeMs / 10);

/** One grant for all calls; while it is asked for, they wait for the same answer. */
const renewing = (ask: () => Promise<Grant>): Session => {
  let grant: Grant | undefined;
  let asked: Promise<Grant> | undefined;
  const askOnce = (): Promise<Grant> => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
  return {
    async token(signal) {
      if (!grant || Date.now() >= grant.renewAt) grant = await unlessAborted(askOnce(), signal);
      return grant.token;
    },
    refused(token) {
      if (grant?.token === token) grant = undefined;
      return true;
    },
  };
};

const fixed = (token: string): Session => ({ token: async () => token, refused: () => false });

/** `logIn`: calls the API, which says how many seconds the session lives. */
export const openSession = (
  credentials: Credentials,
  logIn: (credentials: { username: string; password: string }) => Promise<{ token: string; expiresIn: number }>,
): Session => {
  if ('token' in credentials) return fixed(credentials.token);
  if ('key' in credentials) return fixed(credentials.key);
  if ('getToken' in credentials)
    return renewing(async () => ({ token: await credentials.getToken(), renewAt: Number.POSITIVE_INFINITY }));
  const { username, password } = credentials;
  return renewing(async () => {
    const { token, expiresIn } = await logIn({ username, password });
    const lifetimeMs = expiresIn * 1_000;
    return { token, renewAt: Date.now() + lifetimeMs - marginMs(lifetimeMs) };
  });
};
