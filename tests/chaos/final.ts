/** The state after every user has disconnected, read from the stores and from RabbitMQ without a proxy. */
import { setTimeout as pause } from 'node:timers/promises';
import { userQueue } from '../../lib/broker/names.ts';
import { openStores, type Stores } from '../../lib/store/stores.ts';
import type { FinalState } from '../judge/history.ts';
import { connectToAny } from './servers.ts';

type Servers = { store: { url: string }; broker: { url: string } };

const storeTimeoutMs = 20_000;
const pollMs = 200;
const pageSize = 500;

const existingQueues = async (rabbitmqUrl: string, names: string[]): Promise<string[]> => {
  const connection = await connectToAny(rabbitmqUrl);
  const found: string[] = [];
  for (const name of names) {
    const channel = await connection.createChannel();
    // RabbitMQ closes the channel when the queue does not exist.
    channel.on('error', () => undefined);
    const exists = await channel.checkQueue(name).then(
      () => true,
      () => false,
    );
    if (exists) {
      found.push(name);
      await channel.close();
    }
  }
  await connection.close();
  return found;
};

const ledgerOf = async (stores: Stores, userId: string, accepted: number) => {
  const entries: FinalState['ledger'] = [];
  for (let first = 1; first <= accepted; first += pageSize) {
    const length = Math.min(pageSize, accepted - first + 1);
    entries.push(...(await stores.ledger.read(Array.from({ length }, (_, index) => ({ userId, seq: first + index })))));
  }
  return entries;
};

const readFinal = async (stores: Stores, servers: Servers, prefix: string, userIds: string[]): Promise<FinalState> => {
  const userQueues = await stores.userQueues.get(userIds);
  const ledger = await Promise.all(userQueues.map(({ userId, accepted }) => ledgerOf(stores, userId, accepted)));
  const names = userIds.map((userId) => userQueue(prefix, userId));
  return { ledger: ledger.flat(), userQueues, leftOverQueues: await existingQueues(servers.broker.url, names) };
};

type Awaited = { servers: Servers; prefix: string; userIds: string[]; limitMs: number };

/** Waits until every user queue is closed, at most for `limitMs`, and reads the final state. */
export const awaitFinal = async ({ servers, prefix, userIds, limitMs }: Awaited): Promise<FinalState> => {
  const stores = openStores({ mongodbUrl: servers.store.url, storeTimeoutMs });
  try {
    const isOver = async () =>
      (await stores.userQueues.get(userIds)).every(
        ({ state, accepted, settled }) => state === 'closed' && accepted === settled,
      );
    const deadline = Date.now() + limitMs;
    while (!(await isOver()) && Date.now() < deadline) await pause(pollMs);
    return await readFinal(stores, servers, prefix, userIds);
  } finally {
    await stores.close();
  }
};
