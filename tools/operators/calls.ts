/** What the operators' commands ask for, by the API or by the servers themselves. Both answer in the shapes of docs/http-api.md. */
import { env } from 'node:process';
import { type Command, InvalidArgumentError } from 'commander';
import type { DeadLetterReason } from '../../lib/types.ts';
import type { ShownEntry } from '../api-client.ts';

export type StuckUser = { userId: string; user?: string; lane: number; seq?: number; reason: string; sinceMs: number };

export type DeadLetter = Omit<ShownEntry, 'acceptedAt'> & {
  userId: string;
  user?: string;
  reason: string;
  error?: { name: string; message: string };
  at: string;
};

/** `user`: a user name, a reference or a user id. */
export type Items = { items: { user: string; seq: number }[] };
export type Selection = Items | { user: string } | { all: true };

export type Decided =
  | { results: ({ seq: number; result: string; retriedAs?: number; code?: string; detail?: string } & object)[] }
  | { results?: undefined; decided: number; refused: number; refusedBy: Record<string, number>; next?: string };

export const decisions = ['cancel', 'retry', 'skip', 'end'] as const;
export type RequestDecision = (typeof decisions)[number];

export type PageQuery = { after?: number | string; limit: number };

/** Lists say in `next` where the next page begins. */
export type OperatorCalls = {
  stuck(limit: number): Promise<{ stuck: StuckUser[] }>;
  deadLetters(
    query: PageQuery & { user?: string; reason?: DeadLetterReason },
  ): Promise<{ deadLetters: DeadLetter[]; next?: string }>;
  /** With `after`, the `next` of the answer before. */
  decide(decision: 'retry' | 'drop', selection: Selection & { after?: string }): Promise<Decided>;
  requests(user: string, query: PageQuery & { status?: string }): Promise<{ requests: ShownEntry[]; next?: number }>;
  request(user: string, seq: number): Promise<ShownEntry>;
  /** The request afterwards: still `processing` where an ended run goes on. After the retry of a failed one, the new request with `retryOf`. */
  decideRequest(decision: RequestDecision, user: string, seq: number): Promise<ShownEntry & { retryOf?: number }>;
  close(): Promise<void>;
};

export type ConnectionOptions = { api?: string; key?: string; direct?: true; json?: true };

/** The options of every operators' command. */
export const withConnection = (command: Command): Command =>
  command
    .option('--api <url>', 'the API to call (LANEKEEPER_API; default http://localhost:3000)')
    .option(
      '--key <key>',
      'an API key with the scope operate; better given as LANEKEEPER_KEY, because others see arguments',
    )
    .option('--direct', 'use MongoDB and RabbitMQ, in place of the API')
    .option('--json', 'print JSON');

const noKey =
  'LANEKEEPER_KEY is not set. Make a key with `lanekeeper keys create NAME --scopes operate`, or use --direct where MongoDB and RabbitMQ can be reached.';

/** Runs `use` with the connection that the options choose, and closes it. */
export const withCalls = async <T>(
  options: ConnectionOptions,
  use: (calls: OperatorCalls) => Promise<T>,
): Promise<T> => {
  const calls = await openCalls(options);
  try {
    return await use(calls);
  } finally {
    await calls.close();
  }
};

const openCalls = async ({ direct, api, key }: ConnectionOptions): Promise<OperatorCalls> => {
  if (direct) return (await import('./direct.ts')).openDirectCalls();
  const token = key ?? env.LANEKEEPER_KEY;
  if (!token) throw new Error(noKey);
  const { apiCalls } = await import('./by-api.ts');
  return apiCalls(api ?? env.LANEKEEPER_API ?? 'http://localhost:3000', token);
};

/** Parses a whole number from `min` to `max` for commander. */
export const wholeNumber =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    if (!/^\d{1,15}$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`It must be a whole number ${range}.`);
    return value;
  };
