/** What `npm start` and `lanekeeper dev` do: the servers that are missing, the API and the consumer, until Ctrl-C. */
import { join, relative } from 'node:path';
import { cwd } from 'node:process';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../lib/config.ts';
import { fileBeside } from '../../lib/file-beside.ts';
import type { Role } from '../../lib/settings.ts';
import { type Child, startChild } from '../child.ts';
import { root } from '../run-tool.ts';
import { ensureServices, type Services, serverNames, stopServices } from '../services/ensure.ts';
import { makeFolder } from '../services/private-server.ts';
import { servers } from '../services/ways.ts';
import { buildConsole } from './console.ts';
import { clearUpEarlier, forgetStart, noteStart } from './earlier.ts';
import { environmentOf, fromCaller, quietServerless, tryItOf, withSecrets } from './environment.ts';
import { type KeptConsumer, keepCodeNew } from './keep-code-new.ts';
import { settlePorts } from './ports.ts';
import { createReport } from './report.ts';
import { listenForStop } from './stop-request.ts';

const readyTimeoutMs = 90_000;
const apiGraceMs = 10_000;
/** What the consumer needs after its own grace time: to hand its lanes over and to end its workers. */
const consumerExtraMs = 10_000;

export type StartOptions = {
  /** As people type it. `lanekeeper dev` watches the processor's code, and serves the API itself instead of serverless-offline. */
  command: 'npm start' | 'lanekeeper dev';
  /** Where `.data` is: servers, logs, secrets. */
  folder: string;
  /** Relative paths in it start at the working folder. */
  env: NodeJS.ProcessEnv;
  /** Folders whose code is watched. */
  watch?: string[];
  yes: boolean;
  verbose: boolean;
  /** Prints JSON lines. */
  json: boolean;
};

/** It is up when `url` answers. */
type Program = {
  name: string;
  role: Role;
  args: string[];
  cwd: string;
  env?: NodeJS.ProcessEnv;
  graceMs: number;
  url: string;
  about: string;
};

/** Servers that an earlier command of this folder started. */
const earlierServers = (services: Services): string =>
  serverNames
    .filter((server) => services[server].way === 'running')
    .map((server) => servers[server].title)
    .join(' and ');

const functionsFile = (name: string): string => fileURLToPath(fileBeside(import.meta.url, `../../functions/${name}`));

/** serverless-offline belongs to the checkout alone. */
const apiOf: Record<StartOptions['command'], () => Pick<Program, 'args' | 'cwd'>> = {
  'npm start': () => ({ args: ['node_modules/.bin/serverless', 'offline', 'start'], cwd: root }),
  'lanekeeper dev': () => ({ args: [functionsFile('api')], cwd: cwd() }),
};

/** The API first, so that nothing new comes in; then the consumer, which ends what it runs. */
const stopOrder = ['api', 'consumer'];

/** Resolves when everything has been stopped. @throws {Error} when something cannot be started, or ends by itself. */
export const runStart = async ({ command, folder, env, watch, yes, verbose, json }: StartOptions): Promise<void> => {
  const report = createReport({ verbose, json });
  const { say } = report;
  const children = new Map<string, Child>();
  const stop = listenForStop(
    (line) => say('start', line),
    () => [...children.values()].map((child) => child.kill()),
  );
  const given = await withSecrets(fromCaller(env), folder);
  const config = loadConfig(given, 'functions');
  const place = { folder, command, say };
  const settings = await settlePorts(given, config, await clearUpEarlier(place), place);
  const { metricsPort, workers } = loadConfig(settings, 'consumer');
  const logs = makeFolder(folder, '.data', 'logs', String(config.port));
  let services: Services | undefined;

  const start = async ({ name, role, args, cwd, env: own, graceMs, url, about }: Program): Promise<Child> => {
    const fast = watch && { NODE_COMPILE_CACHE: env.NODE_COMPILE_CACHE || join(folder, '.data', 'compile-cache') };
    const childEnv = { ...environmentOf(role, settings, services as Services), ...quietServerless, ...fast, ...own };
    const onLine = (line: string) => report.output(name, line);
    const child = startChild({ name, args, cwd, env: childEnv, logFile: join(logs, `${name}.log`), graceMs, onLine });
    children.set(name, child);
    noteStart(place, config.port, [...children.values()]);
    const isUp = async () => stop.isRequested() || (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
    await child.until(`${url} answers`, readyTimeoutMs, isUp).catch((error) => {
      child.kill();
      throw error;
    });
    if (!stop.isRequested()) say(name, `${new URL(url).origin} - ${about}`);
    return child;
  };
  const startApi = () => {
    const url = `http://127.0.0.1:${config.port}/health`;
    const ofApi = { ...apiOf[command](), env: tryItOf(settings, { ...config, metricsPort }), graceMs: apiGraceMs };
    return start({ name: 'api', role: 'functions', ...ofApi, url, about: 'ready' });
  };
  const startConsumer = () => {
    const moved = metricsPort === config.metricsPort ? '' : ` (port ${config.metricsPort} is in use)`;
    const about = `ready, ${workers} ${workers === 1 ? 'worker' : 'workers'}; /healthz and /metrics${moved}`;
    const graceMs = config.graceMs + consumerExtraMs;
    const url = `http://127.0.0.1:${metricsPort}/healthz`;
    const args = [functionsFile('consumer')];
    return start({ name: 'consumer', role: 'consumer', args, cwd: cwd(), graceMs, url, about });
  };
  const consume = async (): Promise<KeptConsumer> => {
    if (watch) return keepCodeNew({ folders: watch, startConsumer, isStopping: stop.isRequested, say });
    const { death } = await startConsumer();
    return { death, up: Promise.resolve() };
  };
  const running = async (): Promise<void> => {
    const [api, consumer] = await Promise.all([startApi(), consume()]);
    const tellReady = (): void => {
      if (stop.isRequested()) return;
      report.ready(`http://localhost:${config.port}`, { command, logs: relative(cwd(), logs) });
    };
    // A processor that does not load waits for an edit: until then nothing runs.
    await Promise.race([api.death, consumer.death, consumer.up.then(tellReady).then(() => consumer.death)]);
  };

  try {
    const built = buildConsole(say);
    services = await ensureServices({ root: folder, env: given, say, yes, explain: verbose });
    await built;
    if (stop.isRequested()) return;
    const earlier = earlierServers(services);
    const toStop = command === 'npm start' ? 'npm run services:stop' : 'lanekeeper services --stop';
    if (earlier) say('start', `${earlier} ran already, and will not be stopped by Ctrl-C; ${toStop} stops them`);
    await Promise.race([running(), stop.requested]);
  } catch (error) {
    if (!stop.isRequested()) throw error;
  } finally {
    for (const name of stopOrder)
      await children
        .get(name)
        ?.stop()
        .then(() => say(name, 'stopped'));
    forgetStart(folder, config.port);
    const ours = serverNames.filter((server) => services?.[server].startedNow);
    if (ours.length > 0) await stopServices({ root: folder, say }, ours);
  }
};
