/**
 * What a key may do.
 *
 * - `enqueue`: what users do to their own queues: enqueue, cancel, retry, skip, disconnect. For every reference.
 * - `read`: look at the requests and the queue of every reference.
 * - `operate`: what operators do: stuck users, dead letters, and any request of any user, of accounts too.
 */
export const keyScopes = ['enqueue', 'read', 'operate'] as const;
export type KeyScope = (typeof keyScopes)[number];
