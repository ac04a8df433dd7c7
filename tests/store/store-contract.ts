/** The contract of the stores: MongoDB and its in-memory stand-in pass the same tests. Also helpers and sample data for them. */
import { afterAll, beforeAll, describe } from '@jest/globals';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import type {
  AccountStore,
  ApiKey,
  KeyStore,
  LaneStore,
  LedgerStore,
  UserQueueStore,
  WorkerStore,
} from '../../lib/ports.ts';
import { openStores } from '../../lib/store/stores.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';
import type { LedgerEntry, UserQueue } from '../../lib/types.ts';
import { testConfig, uniqueName } from '../support/servers.ts';

export type Ports = {
  accounts: AccountStore;
  apiKeys: KeyStore;
  userQueues: UserQueueStore;
  ledger: LedgerStore;
  lanes: LaneStore;
  workers: WorkerStore;
};

type Subject = { name: string; open(): Ports & { end(): Promise<void> } };

const subjects: Subject[] = [
  {
    name: 'MongoDB',
    open: () => {
      const stores = openStores(testConfig());
      const end = async () => {
        await stores.drop();
        await stores.close();
      };
      return { ...stores, end };
    },
  },
  { name: 'memory', open: () => ({ ...createMemoryStores(), end: async () => undefined }) },
];

/** Declares the same tests for each subject. Read `ports` only inside a test. */
export const describeStores = (title: string, declare: (ports: Ports) => void): void => {
  describe.each(subjects)(`${title} in $name`, ({ open }) => {
    const ports = {} as Ports;
    let end: () => Promise<void>;
    beforeAll(() => {
      const opened = open();
      end = opened.end;
      Object.assign(ports, opened);
    });
    afterAll(() => end());
    declare(ports);
  });
};

/** A moment, in seconds since an arbitrary start. */
export const at = (seconds: number): Date => new Date(Date.UTC(2030, 0, 1) + seconds * 1_000);

export const newUserId = (): string => uniqueName('user');

let lanesUsed = 0;
/** A lane that no other test in this file uses. */
export const newLane = (): number => {
  lanesUsed += 1;
  return lanesUsed;
};

/** A key that may do everything and does not expire. */
export const apiKey = (id: string, more: Partial<ApiKey> = {}): ApiKey => ({
  id,
  name: `key-${id}`,
  hash: 'hash',
  scopes: ['enqueue', 'read', 'operate'],
  createdAt: at(0),
  ...more,
});

/** A session that outlives every test. */
export const session = (id: string) => ({ id, expiresAt: at(100_000) });

/** A user with one live session, `s`. Returns the id. */
export const newUser = async ({ userQueues }: Ports, lane = newLane()): Promise<string> => {
  const userId = newUserId();
  await userQueues.create(userId, lane, at(0));
  await userQueues.addSession(userId, session('s'), lane, 10);
  return userId;
};

/** Takes `count` tickets, one after the other, for session `s`. */
export const takeTickets = async ({ userQueues }: Ports, userId: string, count: number): Promise<void> => {
  for (let taken = 0; taken < count; taken += 1) await userQueues.takeTicket(userId, 's', at(1));
};

export const theUserQueue = async ({ userQueues }: Ports, userId: string): Promise<UserQueue> => {
  const [found] = await userQueues.get([userId]);
  if (!found) throw new Error(`no user queue ${userId}`);
  return found;
};

export const theEntry = async ({ ledger }: Ports, userId: string, seq: number): Promise<LedgerEntry> => {
  const [found] = await ledger.read([{ userId, seq }]);
  if (!found) throw new Error(`no entry ${userId}:${seq}`);
  return found;
};

/** Records queued entries for these tickets. */
export const insertQueued = async ({ ledger }: Ports, userId: string, ...seqs: number[]): Promise<void> => {
  for (const seq of seqs) await ledger.insert({ userId, seq, body: `"${seq}"`, acceptedAt: at(seq) });
};

type Guard = { userId: string; seq: number; token: number; attempt: number };

export const claim = (guard: Guard): Extract<LedgerChange, { kind: 'claim' }> => ({
  kind: 'claim',
  interruptions: 0,
  forgiven: 0,
  at: at(10),
  ...guard,
});
export const done = (guard: Guard, result = '"ok"'): LedgerChange => ({
  kind: 'settle',
  status: 'done',
  result,
  at: at(20),
  ...guard,
});
export const failed = (guard: Guard): LedgerChange => ({
  kind: 'settle',
  status: 'failed',
  error: { name: 'Error', message: 'no luck' },
  reason: 'failed',
  at: at(20),
  ...guard,
});
export const block = (guard: Guard): LedgerChange => ({
  kind: 'block',
  error: { name: 'Error', message: 'no luck' },
  reason: 'crashed',
  at: at(20),
  ...guard,
});
export const giveBack = (guard: Guard, forgiven = 1): LedgerChange => ({
  kind: 'give-back',
  forgiven,
  at: at(20),
  ...guard,
});
export const requeue = (guard: Guard): LedgerChange => ({
  kind: 'requeue',
  interruptions: 1,
  forgiven: 1,
  at: at(20),
  ...guard,
});
export const giveUp = (guard: Guard, status: 'failed' | 'blocked'): LedgerChange => ({
  kind: 'give-up',
  status,
  error: { name: 'Error', message: 'cut' },
  reason: 'interrupted',
  interruptions: 1,
  forgiven: 1,
  at: at(20),
  ...guard,
});
/** Fails the attempt: the request waits for its next one. */
export const retry = (guard: Guard): Extract<LedgerChange, { kind: 'retry' }> => ({
  kind: 'retry',
  error: { name: 'Error', message: 'not yet' },
  retryAt: at(15),
  backOffMs: 3_000,
  interruptions: 0,
  at: at(12),
  ...guard,
});
