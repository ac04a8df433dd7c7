/** Who is measured, and how durable each is while it is measured. */
import { root } from '../tools/run-tool.ts';
import type { ServerName, Sync } from './servers.ts';

export type Spec = {
  name: string;
  title: string;
  /** Its module, from this folder. */
  file: string;
  needs: ServerName[];
  /** The others are here to show what order costs, and that the judge finds it missing. */
  keepsOrder: boolean;
  /** Above it this contender is left out, and why. */
  most?: { users: number; why: string };
  durability: (sync: Sync) => string;
  /** Lanekeeper: how requests come in, and from which checkout. */
  product?: { checkout: string; api: boolean };
};

const inRabbitmq = 'RabbitMQ alone: persistent messages with confirms, not synced to the disk before the confirm';
const inRedis = 'Redis, appendfsync always: each write is synced to the disk';
const inPostgres = 'PostgreSQL, synchronous_commit on: each commit is synced to the disk';
const inMongodb = (sync: Sync): string =>
  sync === 'fsync'
    ? 'the MongoDB stand-in, each commit synced to the disk; a message may be lost, its request not'
    : 'the MongoDB stand-in, each commit written, not synced: survives kill -9, not a power cut';

export const productNeeds: ServerName[] = ['rabbitmq', 'mongodb'];

/** @param checkout of this tree, or of an older commit. */
export const lanekeeper = (name: string, checkout: string, api = false): Spec => ({
  name,
  title: `Lanekeeper, ${name === 'lanekeeper' ? 'by calls' : name.replace('lanekeeper-', '')}`,
  file: api ? 'own/lanekeeper-http.ts' : 'own/lanekeeper.ts',
  needs: productNeeds,
  keepsOrder: true,
  durability: inMongodb,
  product: { checkout, api },
});

/** They need the packages of the product alone. */
export const own: Spec[] = [
  lanekeeper('lanekeeper', root),
  lanekeeper('lanekeeper-http', root, true),
  {
    name: 'bare-loop',
    title: 'bare loop: the same writes and messages, batched, without order',
    file: 'own/bare-loop.ts',
    needs: ['rabbitmq', 'mongodb'],
    keepsOrder: false,
    durability: inMongodb,
  },
  {
    name: 'amqplib',
    title: 'amqplib, a queue with a single active consumer for each user, no ledger',
    file: 'own/queue-per-user.ts',
    needs: ['rabbitmq'],
    keepsOrder: true,
    durability: () => inRabbitmq,
  },
  {
    name: 'shared-queue',
    title: 'amqplib, one queue for all users, no order',
    file: 'own/shared-queue.ts',
    needs: ['rabbitmq'],
    keepsOrder: false,
    durability: () => inRabbitmq,
  },
];

/** They need the packages of this folder. */
export const peers: Spec[] = [
  {
    name: 'bullmq',
    title: 'BullMQ, a queue and a worker for each user',
    file: 'peers/bullmq.ts',
    needs: ['redis'],
    keepsOrder: true,
    most: { users: 1_000, why: 'each worker has a connection of its own' },
    durability: () => inRedis,
  },
  {
    name: 'groupmq',
    title: 'GroupMQ, a group for each user',
    file: 'peers/groupmq.ts',
    needs: ['redis'],
    keepsOrder: true,
    durability: () => inRedis,
  },
  {
    name: 'pg-boss',
    title: 'pg-boss, key_strict_fifo, single sends',
    file: 'peers/pg-boss.ts',
    needs: ['postgres'],
    keepsOrder: true,
    durability: () => inPostgres,
  },
  {
    name: 'graphile-worker',
    title: 'graphile-worker, a named queue for each user',
    file: 'peers/graphile-worker.ts',
    needs: ['postgres'],
    keepsOrder: true,
    durability: () => inPostgres,
  },
];
