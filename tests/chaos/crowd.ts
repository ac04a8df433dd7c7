/** Many users that the measurements keep busy. */
import type { Recorder } from '../system/recorder.ts';
import { openDirectDeps } from './direct-deps.ts';
import { directUsers, forEach, newUser } from './direct-users.ts';
import type { Work } from './processor.ts';
import type { Stage } from './stage.ts';

const runMs = { shortest: 3_000, longest: 5_000 };

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
  const { logIn, send, leave } = directUsers(deps, record);
  const hanging = newUser();
  const users = Array.from({ length: count }, () => newUser());

  await deps.ping();
  await forEach([hanging, ...users], logIn);
  return {
    ids: [hanging, ...users].map(({ userId }) => userId),
    fill: async (requestsPerUser) => {
      for (let sent = 0; sent < requestsPerUser; sent += 1) await forEach(users, (user) => send(user, usualWork()));
    },
    hang: () => send(hanging, { ...usualWork(), hangs: true }),
    leave: () => forEach([hanging, ...users], leave),
    close: async () => {
      await Promise.all([deps.publisher.close(), deps.close()]);
    },
  };
};
