/** A stream ends with what let its caller in: the session, the API key, the operator role. */
import type { Deps } from '../deps.ts';
import type { PlaceOwner } from '../places.ts';
import type { WatchedQueue } from '../ports.ts';
import { isLiveSession } from '../sessions.ts';

/** `asOperator`: the caller watches what only operators may. */
export type Watching = { who: PlaceOwner; asOperator: boolean; end(why: 'session' | 'role'): void };

type AllowedDeps = Pick<Deps, 'clock' | 'apiKeys'> & { accounts: Pick<Deps['accounts'], 'operators'> };

/** Of an operator's stream the session is the operator's own, whoever it is about. */
const ownerOf = ({ who }: Watching): string | undefined => (who.sessionId === undefined ? undefined : who.userId);

/** The users whose sessions let these in. */
export const sessionOwners = (streams: Watching[]): string[] => [
  ...new Set(streams.flatMap((stream) => ownerOf(stream) ?? [])),
];

const endWithSessions = (streams: Watching[], queues: ReadonlyMap<string, WatchedQueue>, now: Date): void => {
  for (const stream of streams) {
    const { userId, sessionId } = stream.who;
    if (userId === undefined || sessionId === undefined) continue;
    const queue = queues.get(userId);
    if (!queue || !isLiveSession(queue, now, sessionId)) stream.end('session');
  }
};

const endWithKeys = async (streams: Watching[], { apiKeys, clock }: AllowedDeps): Promise<void> => {
  for (const [keyId, own] of Map.groupBy(streams, ({ who }) => who.keyId)) {
    if (keyId === undefined) continue;
    const key = await apiKeys.find(keyId);
    if (key && (!key.expiresAt || key.expiresAt > clock.now())) continue;
    for (const stream of own) stream.end('session');
  }
};

const endWithRoles = async (streams: Watching[], { accounts }: AllowedDeps): Promise<void> => {
  const watching = streams.filter((stream) => stream.asOperator && ownerOf(stream) !== undefined);
  if (watching.length === 0) return;
  const operators = await accounts.operators(sessionOwners(watching));
  for (const stream of watching) if (!operators.has(ownerOf(stream) ?? '')) stream.end('role');
};

/** @param queues of all `sessionOwners`, as they are now. @throws {StoreUnavailableError} */
export const endForbidden = async (
  streams: Watching[],
  queues: ReadonlyMap<string, WatchedQueue>,
  deps: AllowedDeps,
): Promise<void> => {
  endWithSessions(streams, queues, deps.clock.now());
  await endWithKeys(streams, deps);
  await endWithRoles(streams, deps);
};
