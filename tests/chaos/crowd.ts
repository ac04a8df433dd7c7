/**
 * Many users that the measurements keep busy. Their requests are accepted without HTTP, because HTTP is not measured.
 */
import { randomUUID } from 'node:crypto';
import { laneOf } from '../../lib/lane-of.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { disconnect } from '../../lib/requests/disconnect.ts';
import { closedLoop } from '../../tools/bench/load.ts';
import { monotonicMs } from '../system/monotonic.ts';
import type { Recorder } from '../system/recorder.ts';
import { openDirectDeps } from './direct-deps.ts';
import type { Work } from './processor.ts';
import type { Stage } from './stage.ts';

const sessionMs = 3_600_000;
const inFlight = 48;
const runMs = { shortest: 3_000, longest: 5_000 };

type CrowdUser = { userId: string; sessionId: string };

export type Crowd = {
  ids: string[];
  /** Sends this many requests for each user except the first. */
  fill(requestsPerUser: number): Promise<void>;
  /** Sends one request for the first user. Its run blocks the event loop of its worker. */
  hang(): Promise<void>;
  /** Cancels what is queued and ends every session. */
  leave(): Promise<void>;
  close(): Promise<void>;
};

const usualWork = (): Work => {
  const ms = runMs.shortest + Math.floor(Math.random() * (runMs.longest - runMs.shortest));
  return { ms, ends: 'done', retries: 0 };
};

export const openCrowd = async (stage: Stage, count: number, record: Recorder): Promise<Crowd> => {
  const deps = openDirectDeps(stage);
  const newUser = (): CrowdUser => ({
    userId: randomUUID().replaceAll('-', '').slice(0, 24),
    sessionId: randomUUID(),
  });
  const hanging = newUser();
  const users = Array.from({ length: count }, newUser);
  const each = async (some: CrowdUser[], act: (user: CrowdUser) => Promise<unknown>): Promise<void> => {
    await closedLoop({ count: some.length, inFlight }, async (index) => void (await act(some[index]!)));
  };
  const logIn = async ({ userId, sessionId }: CrowdUser) => {
    const lane = laneOf(userId, deps.config.lanes);
    const session = { id: sessionId, expiresAt: new Date(Date.now() + sessionMs) };
    await deps.userQueues.create(userId, lane, new Date());
    await deps.userQueues.addSession(userId, session, lane, 1);
  };
  const send = async (user: CrowdUser, work: Work) => {
    const { seq } = await acceptRequest({ ...user, body: JSON.stringify(work) }, deps);
    record({ kind: 'accepted', userId: user.userId, seq, at: monotonicMs() });
  };
  const leave = async ({ userId, sessionId }: CrowdUser) => {
    record({ kind: 'leaving', userId, session: sessionId, pending: 'cancel', at: monotonicMs() });
    await disconnect({ userId, sessionId, pending: 'cancel', waitMs: 0 }, deps);
  };

  await deps.ping();
  await each([hanging, ...users], logIn);
  return {
    ids: [hanging, ...users].map(({ userId }) => userId),
    fill: async (requestsPerUser) => {
      for (let sent = 0; sent < requestsPerUser; sent += 1) await each(users, (user) => send(user, usualWork()));
    },
    hang: () => send(hanging, { ...usualWork(), hangs: true }),
    leave: () => each([hanging, ...users], leave),
    close: async () => {
      await Promise.all([deps.publisher.close(), deps.close()]);
    },
  };
};
