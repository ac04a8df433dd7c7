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
const leftBehind = async (state: 'open' | 'marked' | 'closing' | 'closed', maxOpenQueues: number) => {
  const { userQueues } = createMemoryStores();
  const broker = createMemoryBroker();
  const now = systemClock.now();
  const session = { id: 's', expiresAt: new Date(now.getTime() + 60_000) };
  await userQueues.addSession(userId, session, 0, 1);
  await userQueues.takeTicket(userId, session.id, now);
  if (state === 'marked') await userQueues.noteQueueRefused(userId, true);
  if (state === 'closing' || state === 'closed') await userQueues.beginClose(userId, 1, false, now);
  if (state === 'closed') await userQueues.endClose(userId, 1, now);
  const { laneBroker } = broker.connect();
  const deps = { config: { maxOpenQueues }, clock: systemClock, userQueues, laneBroker };
  const context = { deps } as unknown as WorkerContext;
  return { broker, context };
};

test.each([
  ['deleted when its user is closed', 'closed', 0, []],
  ['deleted when its user is closing, because the owner may have deleted it before', 'closing', 0, []],
  ['left to the owner of a user that is open', 'open', 1, [queue]],
  ['deleted when its user is marked under a cap, because the owner may have deleted it before', 'marked', 1, []],
  ['left to the owner of a user that is marked without a cap, who may be about to consume it', 'marked', 0, [queue]],
] as const)('is %s', async (_title, state, maxOpenQueues, left) => {
  const { broker, context } = await leftBehind(state, maxOpenQueues);
  const channels = Promise.withResolvers<void>();
  const deleted = deleteLateQueues([userId], channels.promise, context);
  broker.declareUserQueue(userId);
  channels.resolve();
  await deleted;
  expect(broker.queues()).toEqual(left);
});
