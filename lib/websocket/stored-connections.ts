import { randomUUID } from 'node:crypto';
import { SessionEndedError } from '../accounts/errors.ts';
import type { Config } from '../config.ts';
import type { Connections } from '../connection.ts';
import type { Deps } from '../deps.ts';
import type { ConnectionStore } from '../ports.ts';
import { connectionMs } from './connect.ts';
import { NoEventsError } from './errors.ts';

type StoredDeps = Pick<Deps, 'userQueues' | 'clock'> & {
  config: Pick<Config, 'websocketPingMs' | 'websocketEndpoint'>;
};

/** The connections of API Gateway, which every function may be called for. Whoever posts events to them reads their subscriptions. */
export const storedConnections = (store: ConnectionStore, { userQueues, clock, config }: StoredDeps): Connections => ({
  add: (connection) => store.create(connection),
  find: (id) => store.find(id),
  remove: (id) => store.remove(id),
  alive: async ({ id, userId, login }) => {
    if (login === undefined) return;
    const expiresAt = new Date(clock.now().getTime() + connectionMs(config));
    const left = await userQueues.extendSessions([{ userId, sessionId: id }], expiresAt);
    if (!left.has(id)) throw new SessionEndedError();
  },
  subscribe: async ({ id }, subscription) => {
    if (config.websocketEndpoint === undefined) throw new NoEventsError();
    await store.setSubscription(id, { id: randomUUID(), ...subscription });
  },
  unsubscribe: ({ id }) => store.setSubscription(id, undefined),
  ended: ({ id }) => store.remove(id),
});
