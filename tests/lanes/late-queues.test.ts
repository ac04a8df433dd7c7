/** The queue of a user that was being opened when its lane was lost [R13]. */
import { expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import type { WorkerContext } from '../../lib/lanes/context.ts';
import { deleteLateQueues } from '../../lib/lanes/late-queues.ts';
import { createMemoryBroker } from '../../lib/testing/memory-broker.ts';
import { createMemoryStores } from '../../lib/testing/memory-stores.ts';

const userId = 'u1';
const queue = `user.${userId}`;

/** The next owner closes the user as far as `state`, before the declare of the earlier owner takes effect. */
const leftBehind = async (state: 'open' | 'closing' | 'closed') => {
  const { userQueues } = createMemoryStores();
  const broker = createMemoryBroker();
  const now = systemClock.now();
  const session = { id: 's', expiresAt: new Date(now.getTime() + 60_000) };
  await userQueues.addSession(userId, session, 0, 1);
  await userQueues.takeTicket(userId, session.id, now);
  if (state !== 'open') await userQueues.beginClose(userId, 1, false, now);
  if (state === 'closed') await userQueues.endClose(userId, 1, now);
  const { laneBroker } = broker.connect();
  const context = { deps: { clock: systemClock, userQueues, laneBroker } } as unknown as WorkerContext;
  return { broker, context };
};

test.each([
  ['deleted when its user is closed', 'closed', []],
  ['deleted when its user is closing, because the owner may have deleted it before', 'closing', []],
  ['left to the owner of a user that is open', 'open', [queue]],
] as const)('is %s', async (_title, state, left) => {
  const { broker, context } = await leftBehind(state);
  const channels = Promise.withResolvers<void>();
  const deleted = deleteLateQueues([userId], channels.promise, context);
  broker.declareUserQueue(userId);
  channels.resolve();
  await deleted;
  expect(broker.queues()).toEqual(left);
});
