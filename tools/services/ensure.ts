/** RabbitMQ and MongoDB for this checkout: the first step of `npm run services`, `npm start` and the tests. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { root as checkout } from '../run-tool.ts';
import { askOnTerminal } from './apt.ts';
import { type Choice, choose } from './choose.ts';
import { type ServerName, stopContainer } from './compose.ts';
import { withLock } from './lock.ts';
import { stopServer, writeJson } from './private-server.ts';
import { clusterFolder, clusterRemedy, foldersOf, type Search, servers, waysTo, withoutPassword } from './ways.ts';

export type Services = Record<ServerName, Choice>;

/** `yes` agrees to an installation; without it a person at a terminal is asked. `explain`: also says why no other way was taken. */
export type Request = Omit<Search, 'ask'> & { explain?: boolean };

type Place = Pick<Request, 'root' | 'say'>;

export const serverNames: ServerName[] = ['rabbitmq', 'mongodb'];
const stateFile = (root: string): string => join(root, '.data', 'services.json');

/** What was chosen, and why nothing that comes before it was. */
const describeChoice = ({ url, label, why }: Choice, explain = false): string =>
  [
    `${withoutPassword(url)} - ${label}`,
    ...(explain ? why.map((reason) => styleText('dim', `not: ${reason}`)) : []),
  ].join('\n');

const here = (folder: string): string => (folder === checkout ? 'this checkout' : 'this folder');

const stopOne = async (server: ServerName, { root, say }: Place): Promise<void> => {
  const folders = [...foldersOf(root, server), ...(server === 'rabbitmq' ? [clusterFolder(root)] : [])];
  const stopped = await Promise.all([...folders.map(stopServer), stopContainer(root, server)]);
  say(server, stopped.includes(true) ? 'stopped' : `nothing to stop: ${here(root)} runs none`);
};

const chooseBoth = async ({ explain, ...request }: Request): Promise<Services> => {
  const search = { ...request, ask: askOnTerminal };
  const remedyOf = (server: ServerName): string =>
    search.cluster && server === 'rabbitmq' ? clusterRemedy : servers[server].remedy;
  const find = (server: ServerName) => choose(servers[server].title, waysTo(server, search), remedyOf(server));
  const results = await Promise.allSettled(serverNames.map(find));
  const choices = results.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
  const [rabbitmq, mongodb] = choices;
  for (const [index, server] of serverNames.entries()) {
    const choice = choices[index];
    if (choice) search.say(server, describeChoice(choice, explain));
    // One server alone is of no use: it is stopped again if this command started it.
    if (choice?.startedNow && !(rabbitmq && mongodb)) await stopOne(server, search);
  }
  if (rabbitmq && mongodb) return { rabbitmq, mongodb };
  throw results.find((result) => result.status === 'rejected')?.reason;
};

/** Only one command of a checkout starts or stops servers at a time. */
const alone = <T>({ root, say }: Place, work: () => Promise<T>): Promise<T> => {
  const onWait = () => say('services', `waiting for another command of ${here(root)}`);
  return withLock(join(root, '.data', 'services.lock'), onWait, work);
};

/**
 * Finds or starts both servers and notes the choice in `.data/services.json`. May be repeated. When one server cannot be
 * had, the other is not left running.
 *
 * @throws {NoServerError} that says what to install.
 */
export const ensureServices = (request: Request): Promise<Services> =>
  alone(request, async () => {
    const services = await chooseBoth(request);
    writeJson(stateFile(request.root), services);
    return services;
  });

/** Stops what this checkout started, and nothing else. */
export const stopServices = (place: Place, names = serverNames): Promise<void> =>
  alone(place, async () => {
    await Promise.all(names.map((server) => stopOne(server, place)));
    rmSync(stateFile(place.root), { force: true });
  });
