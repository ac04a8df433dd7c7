/** What calls answer with. The tests of the API compare every answer with these. */
import { z } from 'zod';
import { requestEventTypes } from '../../lib/ports/feed.ts';
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

export const accepted = strict({
  seq,
  status,
  position: z.int().min(0),
  retriedAs: seq.optional(),
  retry: z.string().optional().meta({ description: 'The call that runs the request again.' }),
}).meta({ id: 'Accepted', description: 'A request that is recorded and will not be lost.' });

export const acceptedBatch = strict({ results: z.array(accepted) }).meta({ id: 'AcceptedBatch' });

export const retried = strict({ seq, status, position: z.int().min(0), retryOf: seq }).meta({ id: 'Retried' });

export const requestPage = strict({ requests: z.array(request), next: z.int().min(0).optional() }).meta({
  id: 'RequestPage',
});

export const queue = strict({
  accepted: z.int().min(0),
  settled: z.int().min(0),
  pending: z.int().min(0),
  oldestPendingAgeMs: z.int().min(0).optional(),
  state: z.enum(['closed', 'open', 'closing']),
  lane: z.int().min(0),
}).meta({ id: 'Queue', description: 'How far the queue of a user has come.' });

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
      ...{ reason: z.string(), sinceMs: z.number().min(0), ending: time.optional() },
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
