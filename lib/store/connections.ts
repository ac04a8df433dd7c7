/** WebSocket connections behind API Gateway: the `connections` collection. */
import type { Connection } from '../connection.ts';
import type { ConnectionStore, SubscribedConnection } from '../ports.ts';
import type { Execute } from './connection.ts';
import type { ConnectionDocument } from './connection-documents.ts';
import { insertIfAbsent, native } from './native.ts';

const toConnection = ({ _id, subscription: _, ...connection }: ConnectionDocument): Connection => ({
  id: _id,
  ...connection,
});

export const connectionStore = (execute: Execute): ConnectionStore => ({
  create: ({ id, ...connection }) =>
    execute(async ({ connections }) => {
      await insertIfAbsent(connections, { _id: id, ...connection });
    }),

  find: (id) =>
    execute(async ({ connections }) => {
      const [found] = await native(connections).find({ _id: id }, { limit: 1 });
      return found && toConnection(found);
    }),

  remove: (id) =>
    execute(async ({ connections }) => {
      await connections.deleteOne({ _id: id });
    }),

  setSubscription: (id, subscription) =>
    execute(async ({ connections }) => {
      const update = subscription ? { $set: { subscription } } : { $unset: { subscription: 1 as const } };
      await native(connections).updateOne({ _id: id }, update);
    }),

  endSubscription: (id, subscriptionId) =>
    execute(async ({ connections }) => {
      await native(connections).updateOne(
        { _id: id, 'subscription.id': subscriptionId },
        { $unset: { subscription: 1 } },
      );
    }),

  advance: (id, subscriptionId, after) =>
    execute(async ({ connections }) => {
      const own = { _id: id, 'subscription.id': subscriptionId };
      await native(connections).updateOne(own, { $set: { 'subscription.after': after } });
    }),

  subscribed: (lanes, limit) =>
    execute(async ({ connections }) => {
      const filter = { lane: { $in: lanes }, subscription: { $exists: true } };
      const found = await native(connections).find(filter, { limit });
      return found.map(({ _id: id, ...rest }) => ({ id, ...rest }) as SubscribedConnection);
    }),
});
