/** The protocol with one step broken, on real servers. Chaos must detect each break: `trials.ts` says how. */
import { connect } from 'amqplib';
import mongoose from 'mongoose';
import { userQueue, userQueueOptions } from '../../lib/broker/names.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config.ts';
import type { FunctionDeps, WorkerServers } from '../../lib/deps.ts';
import { BrokerRefusedError } from '../../lib/errors.ts';
import type { LedgerChange } from '../../lib/ledger-change.ts';
import type { Clock, LaneBroker } from '../../lib/ports.ts';
import { type EntryHead, isInBackOff } from '../../lib/types.ts';
import {
  claimLater,
  dropCancels,
  dropWakesOfLoaded,
  loadNoUsers,
  sweepNoUsers,
  trustOwnLease,
} from '../breaks/wrappers.ts';
import { hangDeadlineMs } from './users.ts';

type ServerUrls = { mongodbUrl: string; rabbitmqUrl: string };

type BrokenStep = {
  worker?: (servers: WorkerServers, config: ServerUrls) => WorkerServers;
  functions?: (deps: FunctionDeps) => Partial<FunctionDeps>;
};

const rawDatabase = ({ mongodbUrl }: ServerUrls) => new mongoose.mongo.MongoClient(mongodbUrl).db();
const rawUserQueues = (config: ServerUrls) => rawDatabase(config).collection<{ _id: string }>('userQueues');
const rawRequests = (config: ServerUrls) => rawDatabase(config).collection<{ _id: string }>('requests');

/** An update that gives the entry the token of the change, so that the change passes every check of the token. */
const forgetToken = ({ kind, userId, seq, token, attempt }: LedgerChange) => {
  const _id = `${userId}:${seq}`;
  return kind === 'claim'
    ? { updateOne: { filter: { _id }, update: { $unset: { token: 1 as const } } } }
    : { updateOne: { filter: { _id, status: 'processing' }, update: { $set: { token, attempts: attempt } } } };
};

const ignoreTokens = (servers: WorkerServers, config: ServerUrls): WorkerServers => {
  const requests = rawRequests(config);
  return {
    ...servers,
    ledger: {
      ...servers.ledger,
      async commit(changes) {
        await requests.bulkWrite(changes.map(forgetToken));
        return servers.ledger.commit(changes);
      },
    },
  };
};

const closeWithoutComparing = (servers: WorkerServers, config: ServerUrls): WorkerServers => {
  const userQueues = rawUserQueues(config);
  return {
    ...servers,
    userQueues: {
      ...servers.userQueues,
      async beginClose(userId, _accepted, _onlyWithoutSession, now) {
        const [queue] = await servers.userQueues.get([userId]);
        const settled = queue?.accepted;
        const $set = { state: 'closing', settled, closedThrough: settled, updatedAt: now };
        return (await userQueues.updateOne({ _id: userId, state: 'open' }, { $set })).matchedCount === 1;
      },
      async endClose(userId, _accepted, now) {
        const $set = { state: 'closed', updatedAt: now };
        return (await userQueues.updateOne({ _id: userId, state: 'closing' }, { $set })).matchedCount === 1;
      },
    },
  };
};

const closeInOneStep = (servers: WorkerServers, config: ServerUrls): WorkerServers => {
  const userQueues = rawUserQueues(config);
  return {
    ...servers,
    userQueues: {
      ...servers.userQueues,
      async beginClose(userId, accepted, onlyWithoutSession, now) {
        const begun = await servers.userQueues.beginClose(userId, accepted, onlyWithoutSession, now);
        if (begun)
          await userQueues.updateOne({ _id: userId, state: 'closing', accepted }, { $set: { state: 'closed' } });
        return begun;
      },
      endClose: async () => true,
    },
  };
};

const declareInFunctions = ({ publisher, config }: FunctionDeps): Pick<FunctionDeps, 'publisher'> => {
  const declare = async (userId: string) => {
    const connection = await connect(config.rabbitmqUrl);
    const channel = await connection.createChannel();
    await channel.assertQueue(userQueue(config.queuePrefix, userId), userQueueOptions);
    await connection.close();
  };
  return {
    publisher: {
      ...publisher,
      async publishRequest(userId, message) {
        await declare(userId).catch(() => undefined);
        return publisher.publishRequest(userId, message);
      },
    },
  };
};

const loseLanesOfRefused = (laneBroker: LaneBroker): LaneBroker => ({
  ...laneBroker,
  openUserQueues(events) {
    const queues = laneBroker.openUserQueues(events);
    return {
      async open(userId) {
        try {
          await queues.open(userId);
        } catch (error) {
          // An error that is no refusal loses the lane.
          throw error instanceof BrokerRefusedError ? new Error('refused', { cause: error }) : error;
        }
      },
      delete: (userId) => queues.delete(userId),
      close: () => queues.close(),
    };
  },
});

const pollMs = 50;

/** A hand-over waits for the runs under way, in place of lending them. */
const lendNothing = ({ userQueues, ledger, clock, ...servers }: WorkerServers): WorkerServers => ({
  ...servers,
  ledger,
  clock,
  userQueues: {
    ...userQueues,
    async noteLent(loans) {
      const runs = (entry: EntryHead) => entry.status === 'processing' && !isInBackOff(entry);
      while ((await ledger.readHeads(loans)).some(runs)) await sleep(clock, pollMs);
    },
  },
});

/** A worker does not notice the deadline of a run that hangs, so the run keeps its slot. */
const ignoreDeadlines = (clock: Clock): Clock => ({
  ...clock,
  after: (ms, callback) => (ms === hangDeadlineMs ? () => undefined : clock.after(ms, callback)),
});

/** Everything is measured and compared with the clock of the host. */
const hostClock: Clock = { ...systemClock, monotonicMs: () => Date.now() };

const brokenSteps = {
  R1: {
    functions: ({ publisher }) => ({
      publisher: {
        ...publisher,
        async publishRequest(userId, message) {
          await publisher.publishRequest(userId, message);
          return 'routed';
        },
      },
    }),
  },
  R2: { functions: declareInFunctions },
  R3: {
    worker: (servers) => ({ ...servers, publisher: { ...servers.publisher, publishBaton: async () => 'routed' } }),
  },
  R4: { worker: (servers) => ({ ...servers, lanes: trustOwnLease(servers.lanes) }) },
  R5: { worker: (servers) => ({ ...servers, laneBroker: dropWakesOfLoaded(servers.laneBroker) }) },
  R6: { worker: (servers) => ({ ...servers, laneBroker: dropCancels(servers.laneBroker) }) },
  R7: { worker: ignoreTokens },
  R8: { worker: closeWithoutComparing },
  R9: { worker: closeInOneStep },
  R10: { worker: (servers) => ({ ...servers, laneBroker: loseLanesOfRefused(servers.laneBroker) }) },
  'R10-mark': {
    worker: (servers) => ({
      ...servers,
      userQueues: { ...servers.userQueues, noteQueueRefused: async () => undefined },
    }),
  },
  R11: {
    worker: (servers) => ({ ...servers, userQueues: { ...servers.userQueues, noteLent: async () => undefined } }),
  },
  R12: {
    worker: (servers) => ({ ...servers, publisher: { ...servers.publisher, publishWake: async () => 'routed' } }),
  },
  'no-lending': { worker: lendNothing },
  slots: { worker: (servers) => ({ ...servers, clock: ignoreDeadlines(servers.clock) }) },
  'no-ledger-read': { worker: (servers) => ({ ...servers, userQueues: loadNoUsers(servers.userQueues) }) },
  'no-tombstone': {
    worker: (servers) => ({ ...servers, ledger: { ...servers.ledger, insertTombstone: async () => false } }),
  },
  'claim-after-run': {
    worker: (servers) => ({ ...servers, ledger: { ...servers.ledger, commit: claimLater(servers.ledger.commit) } }),
  },
  'host-clock': {
    worker: (servers) => ({ ...servers, clock: hostClock }),
    functions: () => ({ clock: hostClock }),
  },
  'sweep-off': { worker: (servers) => ({ ...servers, userQueues: sweepNoUsers(servers.userQueues) }) },
} satisfies Record<string, BrokenStep>;

export type BreakName = keyof typeof brokenSteps;
export const breakNames = Object.keys(brokenSteps) as BreakName[];

export const isBreakName = (name: string): name is BreakName => breakNames.some((known) => known === name);

/** Wraps what a process uses with the break that `BREAK` names. Without `BREAK`, returns it unchanged. */
export const openBreak = ({ BREAK: name }: NodeJS.ProcessEnv) => {
  if (name && !isBreakName(name)) throw new Error(`BREAK is "${name}". It must be one of: ${breakNames.join(', ')}.`);
  const step: BrokenStep = name && isBreakName(name) ? brokenSteps[name] : {};
  return {
    worker: (servers: WorkerServers, config: Config): WorkerServers => step.worker?.(servers, config) ?? servers,
    functions: (deps: FunctionDeps): Partial<FunctionDeps> => step.functions?.(deps) ?? {},
  };
};
