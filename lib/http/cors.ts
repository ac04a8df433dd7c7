/** Which web pages may call the API from a browser (CORS_ORIGINS). Tokens are sent by the page itself, so no credentials are allowed. */
import type { Config } from '../config.ts';

export type CorsConfig = Pick<Config, 'corsOrigins'>;

const exposed = 'Retry-After, WWW-Authenticate, Allow';

/** What a browser may do, and send, after it has asked. It remembers the answer for two hours at most. */
const preflightHeaders = {
  'access-control-allow-methods': 'GET, POST, DELETE',
  'access-control-allow-headers': 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Traceparent',
  'access-control-max-age': '7200',
};

/** The headers for an answer to a call from `origin`; `undefined` when no page made it. */
export const corsHeaders = ({ corsOrigins = [] }: CorsConfig, origin: string | undefined): Record<string, string> => {
  if (corsOrigins.length === 0) return {};
  const allowsAll = corsOrigins.includes('*');
  // Without it a cache could give the answer for one origin to another.
  const vary = allowsAll ? undefined : { vary: 'Origin' };
  if (origin === undefined || !(allowsAll || corsOrigins.includes(origin))) return { ...vary };
  return {
    ...vary,
    'access-control-allow-origin': allowsAll ? '*' : origin,
    'access-control-expose-headers': exposed,
  };
};

/** The headers for a browser that asks before it calls. */
export const corsPreflightHeaders = (config: CorsConfig, origin: string | undefined): Record<string, string> => {
  const headers = corsHeaders(config, origin);
  return 'access-control-allow-origin' in headers ? { ...headers, ...preflightHeaders } : headers;
};
