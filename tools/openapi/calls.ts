/** Every call of the HTTP API: what it takes, answers and refuses. The schemas of what it takes are those that check it. */
import { z } from 'zod';
import { loadConfig } from '../../lib/config.ts';
import { batch } from '../../lib/http/batch-input.ts';
import { cancelBody } from '../../lib/http/cancel-selected.ts';
import { eventsHeaders, eventsQuery } from '../../lib/http/events-input.ts';
import * as input from '../../lib/http/input.ts';
import { deadLetterQuery, selection, stuckQuery } from '../../lib/http/operator-input.ts';
import { overviewQuery } from '../../lib/http/overview-reply.ts';
import { userQuery } from '../../lib/http/user-list-input.ts';
import * as answers from './answers.ts';
import type { ProblemCode } from './problems.ts';

/** `token`: of a session. `key`: an API key with this scope. `operator`: a token of an operator, or a key with `operate`. */
export type Access = { token?: true; key?: 'enqueue' | 'read'; operator?: 'always' | 'asked' };

export type Answer = {
  says: string;
  schema?: z.ZodType;
  example?: unknown;
  /** Default: application/json. */
  contentType?: string;
  /** The same as a stream of Server-Sent Events, where the caller accepts it: an example. */
  stream?: string;
  /** The same for every caller, with an ETag. */
  isFile?: true;
};

/** In the order of the reference page. */
export const tags = {
  Accounts: 'Registration and sessions. When the last session of a user ends, its queue is drained and deleted.',
  Requests: 'The requests of the user who calls.',
  Events: 'What happens to the requests of the user who calls, while it happens.',
  Queue: 'How far the queue of the user who calls has come.',
  'Users of a back end':
    'The same for users that a back end names itself: with an API key, without accounts and sessions.',
  Operators: 'The overview, lanes, users, dead letters and stuck users, of all accounts.',
  Health: 'For load balancers and whoever starts processes.',
  Description: 'This description, and a page that shows it.',
  Console: 'Pages for operators and users, which make the calls above.',
  Browsers: 'Which web pages may call.',
};

export type CallDescription = {
  id: string;
  tag: keyof typeof tags;
  summary: string;
  access: Access;
  path?: z.ZodObject;
  query?: z.ZodObject;
  headers?: z.ZodObject;
  body?: { schema: z.ZodType; example: unknown; optional?: true };
  answers: Record<number, Answer>;
  problems: ProblemCode[];
};

/** The ceilings in the description are the defaults. */
const ceilings = loadConfig({ JWT_SECRET: 'x'.repeat(32) }, 'functions');
const jsonValue = z.unknown().meta({ description: 'Any JSON value of up to 256 KiB.' });
// Each part has a name of its own: generators of clients name what has none after its place, and some fail then.
const oneRequest = input.runLimits(ceilings).extend({ request: jsonValue }).meta({ id: 'NewRequest' });
const batchShape = batch(ceilings).shape;
const keyedRequest = batchShape.requests.element.extend({ request: jsonValue }).meta({ id: 'NewRequestWithKey' });
const severalRequests = z.object({ requests: z.array(keyedRequest).min(1).max(100) }).meta({ id: 'NewRequests' });
const enqueueBody = {
  schema: z.union([oneRequest, severalRequests]).meta({ id: 'Enqueue' }),
  example: { request: { amount: 5 } },
};
const enqueueHeaders = z.object({
  'Idempotency-Key': input.idempotencyKey.meta({
    ...{ pattern: '^[\\x20-\\x2b\\x2d-\\x7e]{1,255}$', minLength: 1, maxLength: 255 },
    description: 'The same key with the same request is accepted once.',
  }),
  traceparent: z.string().optional().meta({ description: 'W3C trace context: the runs belong to this trace.' }),
});

const times = { acceptedAt: '2026-11-28T02:54:01.669Z', startedAt: '2026-11-28T02:54:01.712Z' };
const doneRequest = {
  ...{ seq: 1, status: 'done', attempts: 1, ...times, settledAt: '2026-11-28T02:54:01.725Z', result: 'Your Message' },
};
const ran = { attempt: 1, outcome: 'done', startedAt: times.startedAt, endedAt: doneRequest.settledAt };
const runs = { code: 'running', text: 'Request 3 runs.', seq: 3, sinceMs: 41 };
const queueExample = {
  ...{ accepted: 4, settled: 2, pending: 2, oldestPendingAgeMs: 77, state: 'open', lane: 2 },
  verdict: runs,
};
const isBlocked = {
  ...{ code: 'blocked', seq: 6, sinceMs: 86_120 },
  text: 'Waits because request 6 is blocked: somebody must retry or skip it.',
};
const deadLetter = { reason: 'failed', at: '2026-11-28T02:54:01.791Z' };
const failedRequest = {
  ...{ seq: 2, status: 'failed', attempts: 5, error: { name: 'Error', message: 'The run failed.' }, deadLetter },
  ...{ ...times, settledAt: '2026-11-28T02:54:01.791Z' },
};
const cancelledRequest = {
  ...{ seq: 4, status: 'cancelled', attempts: 0, acceptedAt: times.acceptedAt, settledAt: '2026-11-28T02:54:01.725Z' },
};
const acceptedRequest = { seq: 1, status: 'queued', position: 1 };

const requestAnswer = (says: string, example: unknown): Answer => ({ says, schema: answers.request, example });
const limitsOfEnqueue: ProblemCode[] = ['too-many-pending', 'enqueue-rate-exceeded', 'not-recorded-in-time'];

type OwnCall = Omit<CallDescription, 'access' | 'tag'> & {
  tag: 'Requests' | 'Events' | 'Queue' | 'Accounts';
  forUsers: { id: string; key: 'enqueue' | 'read'; operators?: true };
};

/** Calls of a user for itself. Each exists for the users of a back end, too. */
const ownCalls: Record<string, OwnCall> = {
  'POST /enqueue': {
    ...{ id: 'enqueue', tag: 'Requests', summary: "Accepts a request, or several, at the end of the user's queue" },
    headers: enqueueHeaders,
    body: enqueueBody,
    answers: {
      202: {
        says: 'The request, or each of them, is recorded.',
        schema: z.union([answers.accepted, answers.acceptedBatch]),
        example: acceptedRequest,
      },
    },
    problems: ['idempotency-key-reused', ...limitsOfEnqueue],
    forUsers: { id: 'enqueueForUser', key: 'enqueue' },
  },
  'GET /requests/{seq}': {
    ...{ id: 'getRequest', tag: 'Requests', summary: 'Returns one request, at once or when it is settled or blocked' },
    ...{ path: input.seqPath, query: input.requestQuery },
    answers: {
      200: { says: 'The request.', schema: answers.wholeRequest, example: { ...doneRequest, attemptLog: [ran] } },
    },
    problems: ['request-not-found', 'too-many-polls'],
    forUsers: { id: 'getRequestOfUser', key: 'read', operators: true },
  },
  'GET /requests': {
    ...{ id: 'listRequests', tag: 'Requests', summary: 'Lists the requests of the user in their order' },
    query: input.pageQuery,
    answers: {
      200: {
        says: 'A page. `next` is there when more may follow.',
        schema: answers.requestPage,
        example: { requests: [failedRequest], next: 2 },
      },
    },
    problems: [],
    forUsers: { id: 'listRequestsOfUser', key: 'read', operators: true },
  },
  'DELETE /requests/{seq}': {
    ...{ id: 'cancelRequest', tag: 'Requests', summary: 'Cancels a request that waits' },
    path: input.seqPath,
    answers: { 200: requestAnswer('The request, which is `cancelled`.', cancelledRequest) },
    problems: ['request-not-found', 'not-cancellable'],
    forUsers: { id: 'cancelRequestOfUser', key: 'enqueue', operators: true },
  },
  'POST /requests/cancel': {
    ...{ id: 'cancelRequests', tag: 'Requests', summary: 'Cancels several requests that wait, or all' },
    body: { schema: cancelBody.meta({ id: 'RequestsToCancel' }), example: { all: true } },
    answers: {
      200: {
        says: 'What became of each listed request, or how many were cancelled.',
        schema: answers.cancelledRequests,
        example: { cancelled: 4 },
      },
    },
    problems: [],
    forUsers: { id: 'cancelRequestsOfUser', key: 'enqueue', operators: true },
  },
  'POST /requests/{seq}/retry': {
    ...{
      id: 'retryRequest',
      tag: 'Requests',
      summary: 'Runs a request again that failed, is blocked or waits for an attempt',
    },
    path: input.seqPath,
    answers: {
      200: requestAnswer('The request, which runs again in its place.', { ...acceptedRequest, attempts: 5, ...times }),
      202: {
        says: 'The request had failed: it is accepted again at the end of the queue.',
        schema: answers.retried,
        example: { seq: 5, status: 'queued', position: 1, retryOf: 2 },
      },
    },
    problems: ['request-not-found', 'not-retryable', ...limitsOfEnqueue],
    forUsers: { id: 'retryRequestOfUser', key: 'enqueue', operators: true },
  },
  'POST /requests/{seq}/skip': {
    ...{ id: 'skipRequest', tag: 'Requests', summary: 'Gives a request up that is blocked or waits for an attempt' },
    path: input.seqPath,
    answers: { 200: requestAnswer('The request, which is `failed`.', failedRequest) },
    problems: ['request-not-found', 'not-blocked'],
    forUsers: { id: 'skipRequestOfUser', key: 'enqueue', operators: true },
  },
  'GET /queue': {
    ...{ id: 'getQueue', tag: 'Queue', summary: "Says how far the user's queue has come" },
    answers: {
      200: {
        says: 'The queue.',
        schema: answers.queue,
        example: queueExample,
      },
    },
    problems: [],
    forUsers: { id: 'getQueueOfUser', key: 'read', operators: true },
  },
  'GET /events': {
    ...{ id: 'getEvents', tag: 'Events', summary: "Says what happens to the user's requests, from a place on" },
    ...{ query: eventsQuery, headers: eventsHeaders },
    answers: {
      200: {
        says: 'What the client does not know yet. With `Accept: text/event-stream` a stream that goes on, where the server can send one.',
        schema: answers.eventPage,
        example: {
          events: [{ id: '1', type: 'settled', request: doneRequest }],
          next: '1',
          queue: { accepted: 1, settled: 1, pending: 0, state: 'open' },
        },
        stream: 'retry: 1000\n\nid: 1\nevent: settled\ndata: {"request":{"seq":1,"status":"done"}}\n\n',
      },
    },
    problems: ['too-many-streams'],
    forUsers: { id: 'getEventsOfUser', key: 'read', operators: true },
  },
  'POST /stream-token': {
    ...{ id: 'createStreamToken', tag: 'Events', summary: 'Returns a token with which an `EventSource` may connect' },
    answers: {
      200: {
        says: 'The token, and for how many seconds a client may connect with it.',
        schema: answers.streamToken,
        example: { token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...', expiresInSeconds: 60 },
      },
    },
    problems: [],
    forUsers: { id: 'createStreamTokenForUser', key: 'read' },
  },
  'POST /disconnect': {
    ...{
      id: 'disconnect',
      tag: 'Accounts',
      summary: 'Ends the session; with the last one, drains the queue and deletes it',
    },
    query: input.waitQuery,
    body: { schema: input.pendingBody, example: { pending: 'drain' }, optional: true },
    answers: { 200: { says: 'The state of the queue.', schema: answers.disconnected, example: { queue: 'closed' } } },
    problems: ['too-many-polls'],
    forUsers: { id: 'disconnectUser', key: 'enqueue' },
  },
};

const refPath = z.object({
  ref: z
    .string()
    .min(1)
    .max(128)
    .meta({ description: 'The reference of the user, percent-encoded.', example: 'customer-17' }),
});
const asOperator = z.object({
  as: z.literal('operator').optional().meta({ description: 'Calls as an operator: `ref` names any user.' }),
});

const forUser = ({ forUsers, ...call }: OwnCall): CallDescription => ({
  ...call,
  id: forUsers.id,
  tag: 'Users of a back end',
  access: { key: forUsers.key, operator: forUsers.operators && 'asked' },
  path: call.path ? refPath.extend(call.path.shape) : refPath,
  query: forUsers.operators ? asOperator.extend(call.query?.shape ?? {}) : call.query,
  problems: ['invalid-reference', ...call.problems],
});

const ofOwn = ([route, { forUsers, ...call }]: [string, OwnCall]): [string, CallDescription][] => [
  [route, { ...call, access: { token: true } }],
  [route.replace(' ', ' /users/{ref}'), forUser({ forUsers, ...call })],
];

const letterProblems: ProblemCode[] = ['no-such-user', 'ambiguous-user'];
const listedLetter = {
  ...{ userId: '6b0a4249c864da9b4ba6bea4', user: 'ada', seq: 5, status: 'failed', reason: 'failed', attempts: 1 },
  ...{ error: { name: 'UnrecoverableError', message: 'amount is missing' }, at: deadLetter.at },
  ...{ acceptedAt: times.acceptedAt, request: { to: 'grace' } },
};
const whichOne = { userId: listedLetter.userId, seq: 5 };
const selectionBody = { schema: selection.meta({ id: 'Selection' }), example: { items: [{ user: 'ada', seq: 5 }] } };

const notModified: Answer = { says: '`If-None-Match` has its ETag.', isFile: true };

const otherCalls: Record<string, CallDescription> = {
  'POST /register': {
    ...{ id: 'register', tag: 'Accounts', summary: 'Creates an account', access: {} },
    body: {
      schema: input.newCredentials.meta({ id: 'NewAccount' }),
      example: { username: 'ada', password: 'correct horse' },
    },
    answers: {
      201: {
        says: 'The account.',
        schema: answers.account,
        example: { userId: '6b0a4249c864da9b4ba6bea4', username: 'ada' },
      },
    },
    problems: ['weak-password', 'registration-closed', 'invalid-invite', 'username-taken', 'too-many-calls'],
  },
  'POST /login': {
    ...{ id: 'login', tag: 'Accounts', summary: 'Opens a session and returns its token', access: {} },
    body: {
      schema: input.credentials.meta({ id: 'Credentials' }),
      example: { username: 'ada', password: 'correct horse' },
    },
    answers: {
      200: {
        says: 'The token, and its lifetime in seconds.',
        schema: answers.login,
        example: { token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...', expiresIn: 3600 },
      },
    },
    problems: ['invalid-credentials', 'too-many-calls', 'login-delayed'],
  },
  'DELETE /sessions': {
    ...{ id: 'endSessions', tag: 'Accounts', summary: "Ends all sessions of the user but the caller's" },
    access: { token: true },
    answers: { 200: { says: 'How many sessions were ended.', schema: answers.ended, example: { ended: 2 } } },
    problems: [],
  },
  'GET /dead-letters': {
    ...{ id: 'listDeadLetters', tag: 'Operators', summary: 'Lists dead letters, oldest first' },
    access: { token: true, operator: 'always' },
    query: deadLetterQuery,
    answers: {
      200: {
        says: 'A page. `next` is there when more may follow.',
        schema: answers.deadLetterPage,
        example: { deadLetters: [listedLetter] },
      },
    },
    problems: letterProblems,
  },
  'POST /dead-letters/retry': {
    ...{ id: 'retryDeadLetters', tag: 'Operators', summary: 'Runs dead letters again, in the order of each user' },
    access: { token: true, operator: 'always' },
    body: selectionBody,
    answers: {
      200: {
        says: 'What became of each item, or counts.',
        schema: answers.retriedLetters,
        example: { results: [{ ...whichOne, result: 'retried', retriedAs: 6 }] },
      },
    },
    problems: letterProblems,
  },
  'POST /dead-letters/drop': {
    ...{ id: 'dropDeadLetters', tag: 'Operators', summary: 'Takes dead letters off the list' },
    access: { token: true, operator: 'always' },
    body: selectionBody,
    answers: {
      200: {
        says: 'What became of each item, or counts.',
        schema: answers.droppedLetters,
        example: { decided: 1, refused: 0, refusedBy: {} },
      },
    },
    problems: letterProblems,
  },
  'POST /users/{ref}/requests/{seq}/end': {
    ...{ id: 'endRun', tag: 'Operators', summary: 'Ends a run that does not end by itself, and frees its user' },
    access: { token: true, operator: 'always' },
    path: refPath.extend(input.seqPath.shape),
    query: input.waitQuery,
    answers: {
      200: requestAnswer('The request, which is settled.', failedRequest),
      202: requestAnswer('The request, whose run goes on.', {
        ...{ seq: 6, status: 'processing', position: 1, attempts: 1, ...times, ending: deadLetter.at },
      }),
    },
    problems: [...letterProblems, 'request-not-found', 'not-running', 'too-many-polls'],
  },
  'GET /stuck': {
    ...{ id: 'listStuckUsers', tag: 'Operators', summary: 'Lists users with pending requests and no progress' },
    access: { token: true, operator: 'always' },
    query: stuckQuery,
    answers: {
      200: {
        says: 'The users, the longest stuck first.',
        schema: answers.stuck,
        example: {
          stuck: [
            {
              ...{ userId: listedLetter.userId, user: 'ada', lane: 2, seq: 6, reason: 'blocked', sinceMs: 86_120 },
              verdict: isBlocked,
            },
          ],
        },
      },
    },
    problems: [],
  },
  'GET /users/{ref}': {
    ...{ id: 'getUser', tag: 'Operators', summary: 'Says what a user waits for, who owns its lane, and what runs' },
    access: { key: 'read', operator: 'asked' },
    path: refPath,
    query: asOperator,
    answers: {
      200: {
        says: 'The user.',
        schema: answers.userState,
        example: {
          ...{ userId: listedLetter.userId, user: 'ada', ...queueExample, sessions: 1, owner: '5f1c0c7ae04b91d2' },
          fencingToken: 12,
          running: { seq: 3, fencingToken: 12, startedAt: times.startedAt },
        },
      },
    },
    problems: ['invalid-reference', 'no-such-user', 'ambiguous-user'],
  },
  'GET /users': {
    ...{
      id: 'listUsers',
      tag: 'Operators',
      summary: 'Lists users and why they wait, the longest without progress first',
    },
    access: { token: true, operator: 'always' },
    query: userQuery,
    answers: {
      200: {
        says: 'A page of users.',
        schema: answers.userPage,
        example: {
          users: [
            {
              ...{ userId: listedLetter.userId, user: 'ada', lane: 2, state: 'open', pending: 3, waitingMs: 86_120 },
              verdict: isBlocked,
            },
          ],
        },
      },
    },
    problems: [],
  },
  'GET /overview': {
    ...{
      id: 'getOverview',
      tag: 'Operators',
      summary: 'Says what is wrong, who owns the lanes, and how long requests wait',
    },
    access: { token: true, operator: 'always' },
    query: overviewQuery,
    answers: {
      200: {
        says: 'The overview, at most a second old. With `Accept: text/event-stream` a stream of it, where the server can send one.',
        schema: answers.overview,
        stream: 'retry: 1000\n\nid: 3q2-7wA9cV1kZ0bD\nevent: overview\ndata: {"at":"2026-11-28T02:54:01.712Z"}\n\n',
        example: {
          ...{ at: times.startedAt, version: '3q2-7wA9cV1kZ0bD' },
          changes: { users: 'c0FfeePz1m3Lq9Xa', deadLetters: 'mV8s2kQe7_RtY4uJ' },
          problems: [{ code: 'blocked-users', text: 'One user is blocked: somebody must decide.', count: 1 }],
          lanes: [{ lane: 0, owner: '5f1c0c7ae04b91d2', busy: 1 }],
          workers: [
            {
              ...{ workerId: '5f1c0c7ae04b91d2', state: 'serving', lanes: 1, busy: 1 },
              ...{ unresponsive: 0, heardMsAgo: 310, heardAt: times.startedAt },
            },
          ],
          pending: {
            requests: 3,
            users: 1,
            stuckUsers: 1,
            deadLetters: 1,
            countedMsAgo: 2_100,
            countedAt: times.acceptedAt,
          },
          oldestWaitMs: 0,
          longestWaits: {
            at: times.startedAt,
            users: [
              {
                ...{ userId: listedLetter.userId, user: 'ada', lane: 0, state: 'open', pending: 3, waitingMs: 86_120 },
                verdict: isBlocked,
              },
            ],
          },
          lastHour: { started: 41, done: 39, failed: 1, p50: 2, p95: 10, p99: 20, longest: 50 },
          minutes: [
            { at: '2026-11-28T02:54:00.000Z', started: 41, done: 39, failed: 1, p50: 2, p95: 10, p99: 20, longest: 50 },
          ],
        },
      },
    },
    problems: ['too-many-streams'],
  },
  'GET /lanes': {
    ...{ id: 'getLanes', tag: 'Operators', summary: 'Says who owns each lane, and how lanes moved in the last hour' },
    access: { token: true, operator: 'always' },
    answers: {
      200: {
        says: 'The lanes and their moves, at most a second old.',
        schema: answers.lanes,
        example: {
          at: times.startedAt,
          lanes: [{ lane: 0, owner: '5f1c0c7ae04b91d2', busy: 1, since: times.acceptedAt, fencingToken: 4 }],
          moves: [
            {
              ...{ at: times.acceptedAt, lane: 0, fencingToken: 4 },
              ...{ from: 'b06ad1f2470c9e35', to: '5f1c0c7ae04b91d2' },
            },
          ],
          moreMoves: 0,
        },
      },
    },
    problems: [],
  },
  'GET /health': {
    ...{ id: 'getHealth', tag: 'Health', summary: 'Checks both servers, at most once a second', access: {} },
    answers: {
      200: {
        says: 'Both servers answer.',
        schema: answers.health,
        example: { status: 'ok', mongodb: { ok: true, latencyMs: 3 }, rabbitmq: { ok: true, latencyMs: 3 } },
      },
      503: {
        says: 'A server does not answer, or an index is missing.',
        schema: answers.health,
        example: { status: 'degraded', mongodb: { ok: true, latencyMs: 3 }, rabbitmq: { ok: false, latencyMs: 2_000 } },
      },
    },
    problems: [],
  },
  'GET /livez': {
    ...{ id: 'getLiveness', tag: 'Health', summary: 'Says that the process answers', access: {} },
    answers: { 200: { says: 'It does.', schema: answers.alive, example: { status: 'ok' } } },
    problems: [],
  },
  'GET /openapi.json': {
    ...{ id: 'getDescription', tag: 'Description', summary: 'Returns this description', access: {} },
    answers: {
      200: {
        ...{ says: 'OpenAPI 3.1.', isFile: true, schema: answers.description },
        example: { openapi: '3.1.1', info: { title: 'Lanekeeper', version: '1.0.0' }, paths: {} },
      },
      304: notModified,
    },
    problems: [],
  },
  'GET /docs': {
    ...{
      id: 'getReferencePage',
      tag: 'Description',
      summary: 'Returns a page that shows this description',
      access: {},
    },
    answers: {
      200: { says: 'HTML.', isFile: true, schema: z.string(), contentType: 'text/html' },
      304: notModified,
    },
    problems: [],
  },
  'GET /docs/reference.js': {
    ...{ id: 'getReferenceScript', tag: 'Description', summary: 'Returns the script of that page', access: {} },
    answers: {
      200: { says: 'JavaScript.', isFile: true, schema: z.string(), contentType: 'text/javascript' },
      304: notModified,
    },
    problems: [],
  },
  'GET /console': {
    ...{ id: 'getConsole', tag: 'Console', summary: 'Returns the console', access: {} },
    answers: {
      200: { says: 'HTML.', isFile: true, schema: z.string(), contentType: 'text/html' },
      304: notModified,
    },
    problems: [],
  },
  'GET /console/console.js': {
    ...{ id: 'getConsoleScript', tag: 'Console', summary: 'Returns the script of the console', access: {} },
    answers: {
      200: { says: 'JavaScript.', isFile: true, schema: z.string(), contentType: 'text/javascript' },
      304: notModified,
    },
    problems: [],
  },
  'GET /console/console.css': {
    ...{ id: 'getConsoleStyle', tag: 'Console', summary: 'Returns the style sheet of the console', access: {} },
    answers: {
      200: { says: 'CSS.', isFile: true, schema: z.string(), contentType: 'text/css' },
      304: notModified,
    },
    problems: [],
  },
  'OPTIONS /{proxy+}': {
    ...{ id: 'preflight', tag: 'Browsers', summary: 'Answers whether a page of another origin may call', access: {} },
    path: z.object({ path: z.string().meta({ description: 'Any path.', example: 'enqueue' }) }),
    answers: { 204: { says: 'The headers say so.' } },
    problems: [],
  },
};

/** By `METHOD /path`. */
export const calls: Record<string, CallDescription> = {
  ...otherCalls,
  ...Object.fromEntries(Object.entries(ownCalls).flatMap(ofOwn)),
};
