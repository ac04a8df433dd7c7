/** Faults of user queues: RabbitMQ deletes them, or refuses them to the workers for a while. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Channel } from 'amqplib';
import { userQueue } from '../../lib/broker/names.ts';
import type { FaultKind } from '../judge/history.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Injector } from './injector.ts';
import { connectToAny } from './servers.ts';
import type { Stage } from './stage.ts';

/** How long a fault is tried again, for example because RabbitMQ is down. */
const persistMs = 30_000;
const retryMs = 200;
const connectTimeoutMs = 3_000;

/** An argument that no user queue of the product has: RabbitMQ refuses to declare the queue without it. */
const otherArguments = { durable: true, maxLength: 1_000 };
/** The code with which RabbitMQ refuses a queue that exists with other arguments. */
const preconditionFailed = 406;
const brokerUser = 'lanekeeper';

type QueueFaultOptions = { stage: Pick<Stage, 'servers' | 'env'>; activeUsers: () => string[] };

export const createQueueFaults = ({ stage, activeUsers }: QueueFaultOptions) => {
  const { broker } = stage.servers;
  const prefix = stage.env.QUEUE_PREFIX ?? '';

  /** @throws {Error} when RabbitMQ is down, or refuses what `act` asks for. */
  const withChannel = async <T>(act: (channel: Channel) => Promise<T>): Promise<T> => {
    const connection = await connectToAny(broker.url, { timeout: connectTimeoutMs });
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createChannel();
      channel.on('error', () => undefined);
      return await act(channel);
    } finally {
      await connection.close();
    }
  };

  /** Resolves to whether `act` succeeded in time. */
  const persist = async (act: (channel: Channel) => Promise<unknown>): Promise<boolean> => {
    const deadline = monotonicMs() + persistMs;
    while (monotonicMs() < deadline) {
      const succeeded = await withChannel(act).then(
        () => true,
        () => false,
      );
      if (succeeded) return true;
      await pause(retryMs);
    }
    return false;
  };

  const deleteUserQueue: Injector = async ({ random }) => {
    const users = activeUsers();
    if (users.length === 0) return [];
    const queue = userQueue(prefix, random.pick(users));
    const at = monotonicMs();
    try {
      await withChannel(async (channel) => {
        // RabbitMQ reports no error when the queue to delete does not exist.
        await channel.checkQueue(queue);
        await channel.deleteQueue(queue);
      });
    } catch {
      // The broker is down or the user has no queue, so there is nothing to delete.
      return [];
    }
    return [{ kind: 'user-queue-deleted', at }];
  };

  /** Puts a queue with other arguments in the place of the user's, or in the place that it will have. */
  const refuseUserQueue: Injector = async ({ random, lastsMs }) => {
    const users = activeUsers();
    if (users.length === 0) return [];
    const queue = userQueue(prefix, random.pick(users));
    const at = monotonicMs();
    const refuses = await persist(async (channel) => {
      await channel.deleteQueue(queue);
      await channel.assertQueue(queue, otherArguments);
    });
    if (!refuses) return [];
    await pause(lastsMs);
    await persist(async (channel) => {
      // Refused when the user has a queue of the product again, which must stay.
      const isOther = await channel.assertQueue(queue, otherArguments).then(
        () => true,
        (error: { code?: number }) => {
          if (error.code === preconditionFailed) return false;
          throw error;
        },
      );
      if (isOther) await channel.deleteQueue(queue);
    });
    return [{ kind: 'user-queue-refused', at, until: monotonicMs() }];
  };

  /** On a machine that is busy enough, a command does not end in time. It may be given again. */
  const administerPersistently = async (command: string[], tries = 3): Promise<void> => {
    await broker.administer(...command).catch((error: unknown) => {
      if (tries === 1) throw error;
      return administerPersistently(command, tries - 1);
    });
  };

  /** RabbitMQ stays up meanwhile: a wipe would end the fault, and a stop would keep it from being ended. */
  const administer =
    (kind: FaultKind, begin: () => string[], end: string[]): Injector =>
    ({ lastsMs }) =>
      broker.whileUp(async () => {
        const at = monotonicMs();
        await administerPersistently(begin());
        await pause(lastsMs);
        await administerPersistently(end);
        return [{ kind, at, until: monotonicMs() }];
      });

  /** About as many as there are now: the queues of the lanes, and those of the users who have one. */
  const queueLimit = (): string => JSON.stringify({ 'max-queues': Number(stage.env.LANES) + activeUsers().length });
  const permissions = (configure: string) => ['set_permissions', '-p', '/', brokerUser, configure, '.*', '.*'];
  const noUserQueues = `^(?!${userQueue(prefix, '')})`.replaceAll('.', '\\.');

  return {
    'user queue deleted': deleteUserQueue,
    'user queue refused': refuseUserQueue,
    'queues limited': administer('queues-limited', () => ['set_vhost_limits', '-p', '/', queueLimit()], [
      'clear_vhost_limits',
      '-p',
      '/',
    ]),
    'permission withdrawn': administer('permission-withdrawn', () => permissions(noUserQueues), permissions('.*')),
  };
};
