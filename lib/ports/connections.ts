/** What the product asks of MongoDB about the connections behind API Gateway (`lib/store/connections.ts`). Every method rejects as those of the other stores. */
import type { Connection, Subscription } from '../connection.ts';

/** `subscription.id` tells one subscription of a connection from the next. */
export type SubscribedConnection = Connection & { subscription: Subscription & { id: string } };

export interface ConnectionStore {
  /** Idempotent. */
  create(connection: Connection): Promise<void>;
  find(id: string): Promise<Connection | undefined>;
  /** Idempotent. */
  remove(id: string): Promise<void>;
  /** In the place of the subscription that it has; `undefined` ends it. */
  setSubscription(id: string, subscription: SubscribedConnection['subscription'] | undefined): Promise<void>;
  /** Ends this subscription, if the connection still has it. */
  endSubscription(id: string, subscriptionId: string): Promise<void>;
  /** Notes what the connection knows, if it still has this subscription. */
  advance(id: string, subscriptionId: string, after: string): Promise<void>;
  /** Those of the users of these lanes, at most `limit`. */
  subscribed(lanes: number[], limit: number): Promise<SubscribedConnection[]>;
}
