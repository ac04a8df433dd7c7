/** What calls answer with. The tests of the API compare every answer with these. */
import { z } from 'zod';
import { attemptOutcomes } from '../../lib/logged-attempt.ts';
import { requestEventTypes } from '../../lib/ports/feed.ts';
import { problemKinds } from '../../lib/requests/problems.ts';
import { verdictCodes } from '../../lib/requests/verdict.ts';
import { deadLetterReasons, interruptionPolicies, requestStatuses, settledStatuses } from '../../lib/types.ts';

const seq = z.int().min(1);
const time = z.iso.datetime();
const strict = <Shape extends z.core.$ZodShape>(shape: Shape) => z.strictObject(shape);

const runError: z.ZodType = strict({
  name: z.string(),
  message: z.string(),
  get cause() {
    return runError.optional();
  },
  get errors() {
    return z.array(runError).optional();
  },
}).meta({ id: 'RunError', description: 'Why a run failed, as far as clients may see it.' });

/** Operators see every error in full, and whether clients do. */
const fullRunError: z.ZodType = strict({
  name: z.string(),
  message: z.string(),
  exposed: z.boolean().optional(),
  get cause() {
    return fullRunError.optional();
  },
  get errors() {
    return z.array(fullRunError).optional();
  },
}).meta({ id: 'FullRunError', description: 'Why a run failed, in full.' });

const limits = {
  maxAttempts: z.int().min(1).optional(),
  timeoutMs: z.int().min(1).optional(),
  onInterruption: z.enum(interruptionPolicies).optional(),
};

const status = z
  .enum(requestStatuses)
  .meta({ id: 'RequestStatus', description: `Settled: ${settledStatuses.join(', ')}.` });

export const request = strict({
  seq: seq.meta({ description: "The place of the request in its user's order." }),
  status,
  key: z.string().optional().meta({ description: 'The Idempotency-Key.' }),
  position: z.int().min(0).optional().meta({ description: 'At most so many requests run until this one is done.' }),
  attempts: z.int().min(0),
  ...limits,
  error: runError.optional(),
  deadLetter: strict({ reason: z.enum(deadLetterReasons), at: time }).optional(),
  retryOf: seq.optional(),
  acceptedAt: time,
  startedAt: time.optional(),
  retryAt: time.optional(),
  ending: time.optional(),
  settledAt: time.optional(),
  result: z.unknown().optional().meta({ description: 'What the processor returned, as JSON.' }),
}).meta({ id: 'Request', description: 'A request as the ledger has it. Fields that do not apply are absent.' });

const attempt = strict({
  attempt: z.int().min(1),
  outcome: z.enum(attemptOutcomes).optional().meta({ description: 'How it ended; absent while it runs.' }),
  error: runError.optional(),
  fencingToken: z.int().min(1).optional().meta({ description: 'For operators.' }),
  workerId: z
    .string()
    .optional()
    .meta({ description: 'For operators: the worker that had this token, while the lane remembers it.' }),
  startedAt: time,
  endedAt: time.optional(),
}).meta({ id: 'Attempt', description: 'A run of a request.' });

export const wholeRequest = request
  .extend({
    attemptLog: z.array(attempt).meta({ description: 'The newest attempts, oldest first.' }),
    request: z.unknown().optional().meta({ description: 'What was asked for, with `include=request`.' }),
  })
  .meta({
    id: 'WholeRequest',
    description: 'A request with its attempts and, with `include=request`, what was asked for.',
  });

const eventRequest = request
  .extend({
    resultUrl: z.string().optional().meta({ description: 'Where the result is, which has more than 16 KiB.' }),
  })
  .meta({ id: 'EventRequest', description: 'A request as it is now. Fields that do not apply are absent.' });

const eventQueue = strict({
  accepted: z.int().min(0),
  settled: z.int().min(0),
  pending: z.int().min(0),
  state: z.enum(['closed', 'open', 'closing']),
  position: z
    .int()
    .min(1)
    .optional()
    .meta({ description: 'Of the one request that is followed, while it is not settled.' }),
}).meta({ id: 'EventQueue' });

export const eventPage = strict({
  events: z.array(
    strict({
      id: z.string().meta({ description: 'What the client knows with this event.' }),
      type: z.enum(requestEventTypes),
      request: eventRequest,
    }),
  ),
  next: z.string().meta({ description: 'The `after` of the next call.' }),
  queue: eventQueue,
}).meta({ id: 'EventPage' });

export const streamToken = strict({ token: z.string(), expiresInSeconds: z.int().min(1) }).meta({ id: 'StreamToken' });

const acceptance = {
  seq,
  status,
  position: z.int().min(0),
  retriedAs: seq.optional(),
  retry: z.string().optional().meta({ description: 'The call that runs the request again.' }),
};

export const accepted = strict(acceptance).meta({
  id: 'Accepted',
  description: 'A request that is recorded and will not be lost.',
});

export const acceptedBatch = strict({ results: z.array(accepted) }).meta({ id: 'AcceptedBatch' });

/** Another call may have accepted it again already, and by now it may have failed again. */
export const retried = strict({ ...acceptance, retryOf: seq }).meta({ id: 'Retried' });

export const requestPage = strict({ requests: z.array(request), next: z.int().min(0).optional() }).meta({
  id: 'RequestPage',
});

const count = z.int().min(0);
const ms = z.number().min(0);

const verdict = strict({
  code: z.enum(verdictCodes),
  text: z.string().meta({ description: 'The same in a sentence, in English.' }),
  seq: seq.optional().meta({ description: 'The oldest pending request.' }),
  sinceMs: ms
    .optional()
    .meta({ description: 'How long it has been so. Absent for a user that nobody has named before.' }),
  until: time.optional().meta({ description: 'When the next attempt starts.' }),
  stale: z.literal(true).optional().meta({ description: 'It rests on a heartbeat that is late.' }),
}).meta({ id: 'Verdict', description: 'What happens to the oldest pending request of a user, and why it waits.' });

const queueFields = {
  accepted: count,
  settled: count,
  pending: count,
  oldestPendingAgeMs: count.optional(),
  state: z.enum(['closed', 'open', 'closing']),
  lane: count,
  verdict,
  error: runError.optional().meta({ description: 'Of the failure after which the user waits.' }),
};

export const queue = strict(queueFields).meta({ id: 'Queue', description: 'How far the queue of a user has come.' });

const whoIs = { userId: z.string(), user: z.string().optional() };

export const userState = strict({
  ...whoIs,
  ...queueFields,
  error: fullRunError.optional(),
  sessions: count,
  owner: z.string().optional().meta({ description: 'The worker that owns the lane.' }),
  fencingToken: count.optional().meta({
    description: 'Under which the oldest pending request ran last, also while it is blocked or waits.',
  }),
  running: strict({ seq, fencingToken: count.optional(), startedAt: time.optional() }).optional(),
}).meta({ id: 'User', description: 'A user: what is pending, what runs, and why it waits.' });

const listedUser = strict({
  ...whoIs,
  ...{ lane: count, state: z.enum(['closed', 'open', 'closing']), pending: count },
  waitingMs: ms.optional().meta({ description: 'How long nothing has moved. Absent when nothing is pending.' }),
  running: seq.optional(),
  verdict,
});

export const userPage = strict({
  users: z.array(listedUser),
  next: z.string().optional().meta({ description: 'There may be a next page, also after one without users.' }),
}).meta({ id: 'UserPage' });

const waits = { p50: ms.optional(), p95: ms.optional(), p99: ms.optional(), longest: ms.optional() };
const happened = { started: count, done: count, failed: count };

const changedText = z.string().meta({ description: 'Differs when the answer of the call may have changed.' });

export const overview = strict({
  at: time,
  version: z.string().meta({ description: 'Differs when anything but `at` and ages has changed.' }),
  changes: strict({ users: changedText, deadLetters: changedText }).meta({
    description: 'Of `GET /users` and `GET /dead-letters`: when to read them again.',
  }),
  problems: z
    .array(
      strict({
        code: z.enum(problemKinds),
        text: z.string(),
        count: z.int().min(1).optional(),
        ids: z.array(z.union([z.string(), count])).optional(),
      }),
    )
    .meta({ description: 'What is wrong, the worst first. Empty while everything works.' }),
  lanes: z.array(strict({ lane: count, owner: z.string().optional(), busy: count })),
  workers: z.array(
    strict({
      ...{ workerId: z.string(), state: z.enum(['serving', 'away', 'silent', 'gone']) },
      ...{ lanes: count, busy: count, unresponsive: count, heardMsAgo: ms, heardAt: time },
    }),
  ),
  pending: strict({
    requests: count,
    users: count,
    stuckUsers: count,
    deadLetters: count,
    countedMsAgo: ms.optional(),
    countedAt: time.optional(),
  }),
  oldestWaitMs: ms,
  waitingSince: time.optional().meta({ description: 'What `oldestWaitMs` is counted from.' }),
  longestWaits: strict({ at: time, users: z.array(listedUser) }).meta({
    description: 'The users for whom nothing has moved for longest, and when that was read: their ages are as of then.',
  }),
  lastHour: strict({ ...happened, ...waits }),
  minutes: z.array(strict({ at: time, ...happened, ...waits })),
  tryIt: z
    .literal(true)
    .optional()
    .meta({ description: 'During development alone: the console has the page "Try it".' }),
}).meta({ id: 'Overview', description: 'The state of everything, as heartbeats and sweeps have counted it.' });

const fencingToken = z.int().min(1);

export const lanes = strict({
  at: time,
  lanes: z.array(
    strict({
      ...{ lane: count, owner: z.string().optional(), busy: count },
      ...{ since: time.optional(), fencingToken: fencingToken.optional() },
    }),
  ),
  moves: z
    .array(strict({ at: time, lane: count, fencingToken, from: z.string().optional(), to: z.string() }))
    .meta({ description: 'Of the last hour, newest first.' }),
  moreMoves: count.meta({ description: 'How many older ones of the last hour are left out.' }),
}).meta({ id: 'Lanes', description: 'Who owns each lane, and how lanes moved in the last hour.' });

export const account = strict({ userId: z.string(), username: z.string() }).meta({ id: 'Account' });
export const login = strict({ token: z.string(), expiresIn: z.int().min(1) }).meta({ id: 'Login' });
export const ended = strict({ ended: z.int().min(0) }).meta({ id: 'EndedSessions' });
export const disconnected = strict({ queue: z.enum(['connected', 'draining', 'closed']) }).meta({ id: 'Disconnected' });

const deadLetter = strict({
  ...{ userId: z.string(), user: z.string().optional(), seq, status, reason: z.enum(deadLetterReasons) },
  ...{ attempts: z.int().min(0), ...limits, error: fullRunError.optional(), at: time, acceptedAt: time },
  ...{ retryOf: seq.optional(), request: z.unknown() },
}).meta({ id: 'DeadLetter' });

const cursor = z.string().optional();

export const deadLetterPage = strict({ deadLetters: z.array(deadLetter), next: cursor }).meta({ id: 'DeadLetterPage' });

const whose = { userId: z.string().optional(), user: z.string().optional(), seq };
const refused = strict({ ...whose, result: z.literal('refused'), code: z.string(), detail: z.string() });
const counts = strict({
  decided: z.int().min(0),
  refused: z.int().min(0),
  refusedBy: z.record(z.string(), z.int().min(1)),
  next: cursor,
}).meta({ id: 'DecidedCounts' });

const notCancelled = strict({ seq, result: z.literal('refused'), code: z.string(), detail: z.string() });

export const cancelledRequests = z
  .union([
    strict({ results: z.array(z.union([strict({ seq, result: z.literal('cancelled') }), notCancelled])) }).meta({
      id: 'CancelledItems',
    }),
    strict({ cancelled: z.int().min(0), next: seq.optional() }).meta({ id: 'CancelledCount' }),
  ])
  .meta({ id: 'CancelledRequests' });

export const retriedLetters = z
  .union([
    strict({
      results: z.array(z.union([strict({ ...whose, result: z.literal('retried'), retriedAs: seq }), refused])),
    }).meta({ id: 'RetriedItems' }),
    counts,
  ])
  .meta({ id: 'RetriedDeadLetters' });

export const droppedLetters = z
  .union([
    strict({ results: z.array(z.union([strict({ ...whose, result: z.literal('dropped') }), refused])) }).meta({
      id: 'DroppedItems',
    }),
    counts,
  ])
  .meta({ id: 'DroppedDeadLetters' });

export const stuck = strict({
  stuck: z.array(
    strict({
      ...{ userId: z.string(), user: z.string().optional(), lane: z.int().min(0), seq: seq.optional() },
      ...{ reason: z.string(), verdict, sinceMs: z.number().min(0), ending: time.optional() },
    }),
  ),
}).meta({ id: 'StuckUsers' });

const server = strict({ ok: z.boolean(), latencyMs: z.int().min(0) });
export const health = strict({ status: z.enum(['ok', 'degraded']), mongodb: server, rabbitmq: server }).meta({
  id: 'Health',
});
export const alive = strict({ status: z.literal('ok') }).meta({ id: 'Alive' });

export const description = z
  .looseObject({ openapi: z.string(), info: z.looseObject({ title: z.string(), version: z.string() }) })
  .meta({ id: 'Description' });
