/** Users whose requests are accepted without HTTP, because HTTP is not measured. */
import { randomUUID } from 'node:crypto';
import { laneOf } from '../../lib/lane-of.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { disconnect } from '../../lib/requests/disconnect.ts';
import type { RunLimits } from '../../lib/types.ts';
import { closedLoop } from '../../tools/load.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import type { openDirectDeps } from './direct-deps.ts';

const sessionMs = 3_600_000;
const inFlight = 48;

export type DirectUser = { userId: string; sessionId: string };

export const newUser = (userId = randomUUID().replaceAll('-', '').slice(0, 24)): DirectUser => ({
  userId,
  sessionId: randomUUID(),
});

/** Calls `act` once for each, for some of them at the same time. */
export const forEach = <T>(items: T[], act: (item: T) => Promise<unknown>): Promise<void> =>
  closedLoop({ count: items.length, inFlight }, async (index) => void (await act(items[index]!)));

export type DirectUsers = {
  logIn(user: DirectUser): Promise<void>;
  /** Resolves when the request is accepted. `sentAt`: when it was sent for the first time. Default: now. */
  send(user: DirectUser, work: unknown, options?: { limits?: RunLimits; sentAt?: number }): Promise<void>;
  /** Cancels what is queued and ends the session. */
  leave(user: DirectUser): Promise<void>;
};

export const directUsers = (deps: ReturnType<typeof openDirectDeps>, record: Recorder): DirectUsers => ({
  async logIn({ userId, sessionId }) {
    const lane = laneOf(userId, deps.config.lanes);
    const session = { id: sessionId, expiresAt: new Date(Date.now() + sessionMs) };
    await deps.userQueues.create(userId, lane, new Date());
    await deps.userQueues.addSession(userId, session, lane, 1);
  },
  async send(user, work, { limits, sentAt = monotonicMs() } = {}) {
    const { seq } = await acceptRequest({ ...user, body: JSON.stringify(work), limits }, deps);
    record({ kind: 'accepted', userId: user.userId, seq, sentAt, at: monotonicMs() });
  },
  async leave({ userId, sessionId }) {
    record({ kind: 'leaving', userId, session: sessionId, pending: 'cancel', at: monotonicMs() });
    await disconnect({ userId, sessionId, pending: 'cancel' }, deps);
  },
});
