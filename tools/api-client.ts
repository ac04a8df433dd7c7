/** Calls of the HTTP API, as the commands of operators make them. Users have client/. */

/** A ledger entry as `GET /requests` shows it. */
export type ShownEntry = {
  seq: number;
  status: string;
  result?: unknown;
  error?: { name: string; message: string };
  attempts?: number;
} & {
  [time in 'acceptedAt' | 'startedAt' | 'retryAt' | 'settledAt']?: string;
};

/** Thrown when the API answers with an error, or not at all: then without `status`. `detail`: what the API says is wrong. */
export class CallError extends Error {
  status: number | undefined;
  detail: string | undefined;
}

/** `token`: of a session, or an API key. */
type Call = { token?: string; json?: unknown };

const detailIn = (problem: string): string | undefined => {
  try {
    return JSON.parse(problem).detail;
  } catch {
    return undefined;
  }
};

/** Longer than `wait`, which is 20 s at most. */
const callTimeoutMs = 30_000;

/** The last cause says most: of `fetch failed`, which server refused the connection. */
const reasonOf = ({ cause, message, code, name }: NodeJS.ErrnoException): string =>
  cause ? reasonOf(cause as NodeJS.ErrnoException) : message || code || name;

/** The URL of a path of the API, which may itself be below a path, such as the stage of an API Gateway. */
const urlOf = (apiUrl: string, path: string): string => {
  if (URL.canParse(apiUrl) && /^https?:\/\//.test(apiUrl)) return `${apiUrl.replace(/\/+$/, '')}${path}`;
  throw new Error(
    `"${apiUrl}" is not the URL of an API: it must be such as http://localhost:3000 or https://api.example.com/prod.`,
  );
};

/** @throws {CallError} {Error} when `apiUrl` is not a URL. */
export const callApi = async <T>(apiUrl: string, route: string, { token, json }: Call = {}): Promise<T> => {
  const [method, path = ''] = route.split(' ');
  const headers = new Headers({ 'content-type': 'application/json' });
  if (token) headers.set('authorization', `Bearer ${token}`);
  const options = { method, headers, body: JSON.stringify(json), signal: AbortSignal.timeout(callTimeoutMs) };
  const response = await fetch(urlOf(apiUrl, path), options).catch((cause) => {
    throw new CallError(`${apiUrl} does not answer (${reasonOf(cause)}).`, { cause });
  });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  const error = new CallError(`${route} answered ${response.status}: ${text}`);
  throw Object.assign(error, { status: response.status, detail: detailIn(text) });
};
