/** Lanekeeper by calls: requests are accepted in the client's own process. The workers are the checkout's own consumer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { environmentOf, userOf } from '../lanekeeper.ts';
import type { Contender } from '../sides.ts';
import { type UserQueues, writeUsers } from './lanekeeper-users.ts';

type Deps = { userQueues: UserQueues; config: { lanes: number } };
type Functions = { functionDeps(): Promise<Deps>; closeFunctionDeps(): Promise<void> };
type Command = ReturnType<typeof userOf> & { body: string };
type Accept = { acceptRequest(command: Command, deps: Deps): Promise<unknown> };

/** The second is the place in 7a83d06. */
const compositions = ['lib/compose/functions.ts', 'lib/deps.ts'];

const load = async (file: string) => import(pathToFileURL(file).href);

export const loadFunctions = async (checkout: string): Promise<Functions> => {
  const file = compositions.map((name) => join(checkout, name)).find((path) => existsSync(path));
  if (!file) throw new Error(`${checkout} is no checkout of Lanekeeper that the benchmark knows.`);
  return load(file);
};

export const openClient: Contender['openClient'] = async (place) => {
  Object.assign(process.env, environmentOf(place), { LOG_LEVEL: 'error' });
  const { functionDeps, closeFunctionDeps } = await loadFunctions(place.checkout);
  const { acceptRequest }: Accept = await load(join(place.checkout, 'lib/requests/accept.ts'));
  const deps = await functionDeps();
  await writeUsers(place, deps.userQueues, deps.config.lanes);
  return {
    send: async (job) => {
      await acceptRequest({ ...userOf(job.user), body: JSON.stringify(job) }, deps);
    },
    close: closeFunctionDeps,
  };
};
