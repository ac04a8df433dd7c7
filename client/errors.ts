/** The errors that a client throws. Programs decide by their classes and by the `code` of a problem; texts may change. */
import type { operations } from './api.ts';
import type { RequestState, RunError } from './types.ts';

type ProblemBodies<Responses> = {
  [Status in keyof Responses]: Responses[Status] extends { content: { 'application/problem+json': infer Body } }
    ? Body
    : never;
}[keyof Responses];
type Described = { [Id in keyof operations]: ProblemBodies<operations[Id]['responses']> }[keyof operations];
type ProblemOf<Code, Status> = { code: Code; status: Status; title: string; detail?: string };
type EachCode<Body> = Body extends { status?: infer Status; code?: infer Code }
  ? Code extends string
    ? ProblemOf<Code, NonNullable<Status>>
    : never
  : never;

/** What the API says when it refuses a call: a union that `code` tells apart. */
export type ApiProblem = EachCode<Described>;

/** The answer of something in between, such as a proxy. */
export type UnexpectedAnswer = ProblemOf<'unexpected-answer', number>;

export type Problem = ApiProblem | UnexpectedAnswer;

/** The API refused a call. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly problem: Problem;
  /** The same call may succeed after so long. */
  readonly retryAfterSeconds: number | undefined;

  constructor(problem: Problem, retryAfterSeconds?: number) {
    super(problem.detail ?? problem.title);
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The API did not answer in time. `cause` says what happened last. */
export class UnreachableError extends Error {
  override name = 'UnreachableError';
}

/** The client was closed or disconnected. */
export class ClosedError extends Error {
  override name = 'ClosedError';
}

/** The request failed its last attempt, or was skipped. */
export class RequestFailedError extends Error {
  override name = 'RequestFailedError';
  /** What the ledger has: the last failure, as far as clients may see it. */
  readonly error: RunError;
  readonly request: RequestState;

  constructor(request: RequestState) {
    const error = request.error ?? { name: 'Error', message: 'The run failed.' };
    super(error.message, { cause: error });
    this.error = error;
    this.request = request;
  }
}

export class RequestCancelledError extends Error {
  override name = 'RequestCancelledError';
  readonly request: RequestState;

  constructor(request: RequestState) {
    super(`Request ${request.seq} was cancelled.`);
    this.request = request;
  }
}

const isProblem = (body: unknown): body is ApiProblem =>
  typeof body === 'object' && body !== null && typeof (body as { code?: unknown }).code === 'string';

/** `Retry-After` of an answer, as seconds or as a date. */
export const retryAfterOf = (headers: Headers): number | undefined => {
  const text = headers.get('retry-after');
  if (!text) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1_000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
};

/** @param body the answer's, parsed if it is JSON. */
export const errorOfAnswer = ({ status, headers }: Response, body: unknown): ApiError => {
  const unexpected = { code: 'unexpected-answer', status, title: `The API answered ${status}.` } as const;
  return new ApiError(isProblem(body) ? body : unexpected, retryAfterOf(headers));
};
