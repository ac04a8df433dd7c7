import mongoose, { type Connection, type Model } from 'mongoose';
import type { Heartbeat, LaneRecord, Role } from '../ports.ts';
import type { LedgerEntry, UserQueue } from '../types.ts';
import { type ConnectionDocument, connectionSchema } from './connection-documents.ts';
import { type KeyDocument, keySchema } from './key-documents.ts';
import type { MinuteDocument } from './minutes.ts';
import { schemaOptions as options } from './schema-options.ts';
import type { TicketFields } from './ticket-taker.ts';

/** The documents: the plain data with MongoDB's `_id`. */
export type AccountDocument = {
  _id: mongoose.Types.ObjectId;
  username: string;
  /** `username` in lower case: it is unique, and searches use it. */
  name: string;
  passwordHash: string;
  /** Absent means `user`. */
  role?: Role;
};
export type UserQueueDocument = Omit<UserQueue, 'userId'> &
  TicketFields & {
    _id: string;
    /** `accepted` when closing last began, at first 0. The user queue is not open until a ticket exceeds it. */
    closedThrough: number;
    /** A search for users without progress has found the user open, with a session and without pending work. Whoever changes that unsets it. */
    quiet?: true | null;
  };
export type RequestDocument = LedgerEntry & {
  _id: string;
  /** [`digestOf`] What the entry was made from, where a message can say it. */
  digest?: string;
};
/** Lanes that no later version has taken have no `moves`. */
export type LaneDocument = Omit<LaneRecord, 'lane' | 'moves'> & Partial<Pick<LaneRecord, 'moves'>> & { _id: number };
export type WorkerDocument = Omit<Heartbeat, 'workerId' | 'unresponsive'> & { _id: string; unresponsive?: string[] };

/** As rate-limiter-flexible writes it. */
export type CounterDocument = { _id: mongoose.Types.ObjectId; key: string; points: number; expire: Date };

export type Models = {
  accounts: Model<AccountDocument>;
  apiKeys: Model<KeyDocument>;
  counters: Model<CounterDocument>;
  userQueues: Model<UserQueueDocument>;
  requests: Model<RequestDocument>;
  lanes: Model<LaneDocument>;
  workers: Model<WorkerDocument>;
  minutes: Model<MinuteDocument>;
  connections: Model<ConnectionDocument>;
};

const accountSchema = new mongoose.Schema<AccountDocument>(
  { username: String, name: String, passwordHash: String, role: String },
  options,
).index({ name: 1 }, { unique: true });

const counterSchema = new mongoose.Schema<CounterDocument>({ key: String, points: Number, expire: Date }, options)
  .index({ key: 1 }, { unique: true })
  .index({ expire: 1 }, { expireAfterSeconds: 0 });

const sessionSchema = new mongoose.Schema(
  { id: String, expiresAt: Date, keepsQueue: Boolean, login: String },
  { _id: false },
);

const lentSchema = new mongoose.Schema({ seq: Number, token: Number, workerId: String, forMs: Number }, { _id: false });

// Plain indexes, not partial ones over the states: a closed user's index entry costs 40 bytes and no write, and every server
// uses plain indexes. They end with `_id` so that an acquisition and a search for stuck users can read page after page.
const userQueueSchema = new mongoose.Schema<UserQueueDocument>(
  {
    _id: String,
    user: String,
    lane: Number,
    sessions: { type: [sessionSchema], default: undefined },
    state: String,
    accepted: Number,
    settled: Number,
    closedThrough: Number,
    updatedAt: Date,
    vouchedAt: Date,
    queueRefused: Boolean,
    lent: lentSchema,
    acceptedBytes: Number,
    settledBytes: Number,
    countedSettled: Number,
    countedBytes: Number,
    countAgainAt: Number,
    rateAt: Number,
    refusal: String,
    countDue: Boolean,
    quiet: Boolean,
    tickets: { type: [Object], default: undefined },
  },
  options,
)
  .index({ lane: 1, state: 1, _id: 1 })
  .index({ state: 1, quiet: 1, updatedAt: 1, _id: 1 })
  .index({ user: 1, _id: 1 })
  .index({ 'sessions.expiresAt': 1 });

// Native writes record errors, and lean reads return them: what is nested in one needs no schema.
const runErrorSchema = new mongoose.Schema({ name: String, message: String, exposed: Boolean }, { _id: false });

const runLimitsSchema = new mongoose.Schema(
  { maxAttempts: Number, timeoutMs: Number, onInterruption: String },
  { _id: false },
);
const deadLetterSchema = new mongoose.Schema({ reason: String, at: Date }, { _id: false });

// No index contains the status: every claim and settlement would rewrite it. Queries by status start at a `seq`.
const requestSchema = new mongoose.Schema<RequestDocument>(
  {
    _id: String,
    userId: String,
    seq: Number,
    key: String,
    body: String,
    bytes: Number,
    bytesThrough: Number,
    status: String,
    token: Number,
    attempts: Number,
    attemptLog: { type: [Object], default: undefined },
    result: String,
    error: runErrorSchema,
    retryAt: Date,
    backOffMs: Number,
    endRequestedAt: Date,
    limits: { type: runLimitsSchema, default: undefined },
    forgiven: Number,
    interruptions: Number,
    deadLetter: { type: deadLetterSchema, default: undefined },
    retryOf: Number,
    traceparent: String,
    digest: String,
    acceptedAt: Date,
    startedAt: Date,
    settledAt: Date,
  },
  options,
)
  .index({ userId: 1, seq: 1 })
  .index({ 'deadLetter.at': 1, _id: 1 }, { partialFilterExpression: { deadLetter: { $exists: true } } })
  // For decisions about many, which go by user and `seq`. The third field tells it apart from the first index.
  .index({ userId: 1, seq: 1, 'deadLetter.at': 1 }, { partialFilterExpression: { deadLetter: { $exists: true } } })
  .index({ userId: 1, key: 1 }, { unique: true, partialFilterExpression: { key: { $exists: true } } });

const laneSchema = new mongoose.Schema<LaneDocument>(
  { _id: Number, lease: Number, owner: String, moves: { type: [Object], default: undefined } },
  options,
);

// The heartbeat of a worker that is gone expires after an hour.
const workerSchema = new mongoose.Schema<WorkerDocument>(
  {
    _id: String,
    lanes: [Number],
    unresponsive: [String],
    away: Boolean,
    gone: Boolean,
    beatMs: Number,
    busy: { type: [Number], default: undefined },
    statistics: Object,
    demand: Object,
    moves: Object,
    at: Date,
  },
  options,
).index({ at: 1 }, { expireAfterSeconds: 3_600 });

const minuteSchema = new mongoose.Schema<MinuteDocument>(
  { _id: Number, at: Date, started: Number, done: Number, failed: Number, waits: Object },
  options,
).index({ at: 1 }, { expireAfterSeconds: 7_200 });

/** Mongoose gives the connection's `maxTimeMS` to reads only. */
const limitUpdates = (schema: mongoose.Schema): void => {
  schema.pre(['updateOne', 'updateMany', 'deleteOne'], { query: true, document: false }, function () {
    this.setOptions({ maxTimeMS: this.model.db.get('maxTimeMS') });
  });
};
for (const schema of [
  accountSchema,
  keySchema,
  counterSchema,
  userQueueSchema,
  requestSchema,
  laneSchema,
  workerSchema,
  minuteSchema,
  connectionSchema,
]) {
  limitUpdates(schema as unknown as mongoose.Schema);
}

/** `maxTimeMS`: how long the server may work on one operation. By then its caller has given up. 0 means no limit. */
export const defineModels = (connection: Connection, maxTimeMS: number): Models => {
  connection.set('maxTimeMS', maxTimeMS);
  return {
    accounts: connection.model<AccountDocument>('accounts', accountSchema, 'accounts'),
    apiKeys: connection.model<KeyDocument>('apiKeys', keySchema, 'apiKeys'),
    counters: connection.model<CounterDocument>('counters', counterSchema, 'counters'),
    userQueues: connection.model<UserQueueDocument>('userQueues', userQueueSchema, 'userQueues'),
    requests: connection.model<RequestDocument>('requests', requestSchema, 'requests'),
    lanes: connection.model<LaneDocument>('lanes', laneSchema, 'lanes'),
    workers: connection.model<WorkerDocument>('workers', workerSchema, 'workers'),
    minutes: connection.model<MinuteDocument>('minutes', minuteSchema, 'minutes'),
    connections: connection.model<ConnectionDocument>('connections', connectionSchema, 'connections'),
  };
};
