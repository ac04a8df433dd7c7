/** `npm start [-- --yes] [-- --verbose]`: the servers that are missing, the API and the consumer, until Ctrl-C. */
import { join, relative } from 'node:path';
import { env, stdout } from 'node:process';
import { parseArgs, styleText } from 'node:util';
import boxen from 'boxen';
import { loadConfig } from '../lib/config.ts';
import type { Role } from '../lib/settings.ts';
import { type Child, startChild } from './child.ts';
import { root, runTool, say } from './run-tool.ts';
import { ensureServices, type Services, serverNames, stopServices } from './services/ensure.ts';
import { makeFolder } from './services/private-server.ts';
import { servers } from './services/ways.ts';
import { clearUpEarlier, forgetStart, noteStart } from './start/earlier.ts';
import { environmentOf, quietServerless, withSecrets } from './start/environment.ts';
import { forPeople } from './start/lines.ts';
import { settlePorts } from './start/ports.ts';
import { listenForStop } from './start/stop-request.ts';

const readyTimeoutMs = 90_000;
const apiGraceMs = 10_000;
/** What the consumer needs after its own grace time: to hand its lanes over and to end its workers. */
const consumerExtraMs = 10_000;

/** A process of `npm start`. It is up when `url` answers. */
type Program = { name: string; role: Role; args: string[]; graceMs: number; url: string; about: string };

/** Where a server was found that an earlier command of this checkout started. */
const earlierServers = (services: Services): string =>
  serverNames
    .filter((server) => services[server].way === 'running')
    .map((server) => servers[server].title)
    .join(' and ');

const box = (url: string, logs: string): string => {
  const rows = [
    ['Try it', `${url.endsWith(':3000') ? '' : `API_URL=${url} `}npm run demo   (in another terminal)`],
    ['Health', `curl ${url}/health`],
    ['Docs', 'README.md, docs/http-api.md'],
    ['Logs', logs],
    ['Stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([name = '', text = '']) => `${styleText('dim', name.padEnd(8))}${text}`);
  const text = `${styleText(['bold', 'green'], `Lanekeeper runs at ${url}`)}\n\n${lines.join('\n')}`;
  return boxen(text, { padding: { left: 2, right: 2 }, borderStyle: 'round', borderColor: 'green' });
};

const run = async (): Promise<void> => {
  const flag = { type: 'boolean', default: false } as const;
  const { yes, verbose } = parseArgs({ options: { yes: flag, verbose: flag } }).values;
  const children: Child[] = [];
  const stop = listenForStop(
    (line) => say('start', line),
    () => children.map((child) => child.kill()),
  );
  const given = await withSecrets(env, root);
  const config = loadConfig(given, 'functions');
  const settings = await settlePorts(given, config, await clearUpEarlier(root, say));
  const { metricsPort, workers } = loadConfig(settings, 'consumer');
  const logs = makeFolder(root, '.data', 'logs', String(config.port));
  let services: Services | undefined;
  let isReady = false;

  const start = async ({ name, role, args, graceMs, url, about }: Program): Promise<void> => {
    const onLine = (line: string): void => {
      const text = forPeople(line, name, { verbose, withCalls: isReady });
      if (text !== undefined) say(name, text);
    };
    const childEnv = { ...environmentOf(role, settings, services as Services), ...quietServerless };
    const child = startChild({ name, args, env: childEnv, logFile: join(logs, `${name}.log`), graceMs, onLine });
    children.push(child);
    noteStart(root, config.port, children);
    const isUp = async () => stop.isRequested() || (await fetch(url, { signal: AbortSignal.timeout(5_000) })).ok;
    await child.until(`${url} answers`, readyTimeoutMs, isUp);
    if (!stop.isRequested()) say(name, `${new URL(url).origin} - ${about}`);
  };
  const startApi = () => {
    const args = ['node_modules/.bin/serverless', 'offline', 'start'];
    const url = `http://127.0.0.1:${config.port}/health`;
    return start({ name: 'api', role: 'functions', args, graceMs: apiGraceMs, url, about: 'ready' });
  };
  const startConsumer = () => {
    const about = `ready, ${workers} ${workers === 1 ? 'worker' : 'workers'}; /healthz and /metrics`;
    const graceMs = config.graceMs + consumerExtraMs;
    const url = `http://127.0.0.1:${metricsPort}/healthz`;
    return start({ name: 'consumer', role: 'consumer', args: ['functions/consumer.ts'], graceMs, url, about });
  };

  try {
    services = await ensureServices({ root, env: given, say, yes, explain: verbose });
    if (stop.isRequested()) return;
    const earlier = earlierServers(services);
    if (earlier)
      say('start', `${earlier} ran already, and will not be stopped by Ctrl-C; npm run services:stop stops them`);
    await Promise.race([Promise.all([startApi(), startConsumer()]), stop.requested]);
    isReady = true;
    if (!stop.isRequested()) stdout.write(`${box(`http://localhost:${config.port}`, relative(root, logs))}\n`);
    await Promise.race([...children.map(({ death }) => death), stop.requested]);
  } catch (error) {
    if (!stop.isRequested()) throw error;
  } finally {
    // First the API, so that nothing new comes in; then the consumer, which ends what it runs; then the servers.
    for (const child of children) await child.stop().then(() => say(child.name, 'stopped'));
    forgetStart(root, config.port);
    const ours = serverNames.filter((server) => services?.[server].startedNow);
    if (ours.length > 0) await stopServices({ root, say }, ours);
  }
};

await runTool(run);
