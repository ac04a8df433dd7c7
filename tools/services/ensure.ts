/** RabbitMQ and MongoDB for this checkout: what `npm run services`, `npm start` and the tests begin with. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { withoutPassword } from './checkout.ts';
import { type Choice, choose } from './choose.ts';
import { type ServerName, stopContainer } from './compose.ts';
import { withLock } from './lock.ts';
import { makeFolder, stopServer, writeJson } from './private-server.ts';
import { mongodbFolders, mongodbRemedy, waysToMongodb } from './ways-to-mongodb.ts';
import { rabbitmqRemedy, waysToRabbitmq } from './ways-to-rabbitmq.ts';

export type Services = Record<ServerName, Choice>;

type Say = (line: string) => void;

export type Request = {
  /** The checkout's folder. */
  root: string;
  env: NodeJS.ProcessEnv;
  say: Say;
};

const lockFile = (root: string): string => join(root, '.data', 'services.lock');
const stateFile = (root: string): string => join(root, '.data', 'services.json');

/** One line for people: what was chosen, and why not what comes before it. */
export const describeChoice = (choice: Choice): string =>
  choice.why ? `${choice.label}; ${choice.why}` : choice.label;

const stopOne = async (server: ServerName, root: string): Promise<boolean> => {
  const folders = server === 'rabbitmq' ? [join(root, '.data', 'rabbitmq')] : mongodbFolders(root);
  const stopped = await Promise.all([...folders.map(stopServer), stopContainer(root, server)]);
  return stopped.includes(true);
};

const stopAndSay = async (server: ServerName, { root, say }: Omit<Request, 'env'>): Promise<void> => {
  say(`${server.padEnd(9)} ${(await stopOne(server, root)) ? 'stopped' : 'nothing of this checkout runs'}`);
};

type Settled = Record<ServerName, PromiseSettledResult<Choice>>;

/** One alone is of no use: it is stopped again, if it was started for this. */
const stopTheOther = async (choices: Settled, request: Request): Promise<void> => {
  for (const server of ['rabbitmq', 'mongodb'] as const) {
    const choice = choices[server];
    if (choice.status === 'fulfilled' && choice.value.startedNow) await stopAndSay(server, request);
  }
};

const settled = <T>(result: PromiseSettledResult<T>): T => {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
};

const chooseBoth = async (request: Request): Promise<Services> => {
  const { root, env, say } = request;
  const find = async (server: ServerName, choosing: Promise<Choice>): Promise<Choice> => {
    const choice = await choosing;
    say(`${server.padEnd(9)} ${withoutPassword(choice.url)} - ${describeChoice(choice)}`);
    return choice;
  };
  const [rabbitmq, mongodb] = await Promise.allSettled([
    find('rabbitmq', choose('RabbitMQ', waysToRabbitmq(root, env, say), rabbitmqRemedy)),
    find('mongodb', choose('MongoDB', waysToMongodb(root, env), mongodbRemedy)),
  ]);
  if ([rabbitmq, mongodb].some(({ status }) => status === 'rejected'))
    await stopTheOther({ rabbitmq, mongodb }, request);
  return { rabbitmq: settled(rabbitmq), mongodb: settled(mongodb) };
};

/**
 * Finds or starts both servers, alone among all commands of this checkout, and notes the choice in
 * `.data/services.json`. Repeating it is harmless. When one is not to be had, the other is not left running for it.
 *
 * @throws {NoServerError} that says what to install.
 */
export const ensureServices = (request: Request): Promise<Services> => {
  makeFolder(request.root, '.data');
  const onWait = () => request.say('services  another command of this checkout is at work; waiting for it');
  return withLock(lockFile(request.root), onWait, async () => {
    const services = await chooseBoth(request);
    writeJson(stateFile(request.root), services);
    return services;
  });
};

/** Stops what this checkout started, and nothing else. */
export const stopServices = ({ root, say }: Omit<Request, 'env'>, servers: ServerName[]): Promise<void> =>
  withLock(
    lockFile(root),
    () => say('services  waiting for another command of this checkout'),
    async () => {
      await Promise.all(servers.map((server) => stopAndSay(server, { root, say })));
      rmSync(stateFile(root), { force: true });
    },
  );
