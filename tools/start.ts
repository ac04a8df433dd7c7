/** `npm start`: the servers that are missing, the API and the consumer, until Ctrl-C. */
import { join } from 'node:path';
import { env, execPath, exit } from 'node:process';
import { type Config, loadConfig } from '../lib/config.ts';
import { ensureServices, type Services, stopServices } from './services/ensure.ts';
import { freePort, isFree } from './services/probe.ts';
import { type Child, startChild } from './start/child.ts';
import { quietServerless, withSecret, withServices } from './start/environment.ts';
import { printer } from './start/lines.ts';
import { untilAllAnswer } from './start/ready.ts';
import { listenForStop } from './start/stop-request.ts';

const root = join(import.meta.dirname, '..');
const say = printer('start');
const readyTimeoutMs = 90_000;
const apiGraceMs = 10_000;
/** What the consumer needs beside its own grace time: to hand over and to end its workers. */
const consumerExtraMs = 10_000;

/** Beside another checkout the metrics take any port: nobody has to know it. The API's port people do know. */
const settlePorts = async (settings: NodeJS.ProcessEnv, config: Config): Promise<NodeJS.ProcessEnv> => {
  if (!(await isFree(config.port))) {
    throw new Error(`Port ${config.port} is taken. Choose another one: PORT=${config.port + 1} npm start`);
  }
  if (settings.METRICS_PORT || (await isFree(config.metricsPort))) return settings;
  return { ...settings, METRICS_PORT: String(await freePort()) };
};

const startBoth = (settings: NodeJS.ProcessEnv): Child[] => [
  startChild({
    name: 'api',
    file: execPath,
    args: [join(root, 'node_modules', '.bin', 'serverless'), 'offline', 'start'],
    folder: root,
    env: { ...settings, ...quietServerless },
  }),
  startChild({ name: 'consumer', file: execPath, args: ['functions/consumer.ts'], folder: root, env: settings }),
];

const readyLine = (config: Config): string => {
  const url = `http://localhost:${config.port}`;
  return `${url} - try "npm run demo" in another terminal, or: curl ${url}/health - Ctrl-C stops everything`;
};

/** First the API, so that nothing new comes in; then the consumer, which ends what it began; then the servers. */
const stopAll = async (children: Child[], services: Services | undefined, config: Config): Promise<void> => {
  const [api, consumer] = children;
  await api?.stop(apiGraceMs);
  await consumer?.stop(config.graceMs + consumerExtraMs);
  const ours = (['rabbitmq', 'mongodb'] as const).filter((server) => services?.[server].startedNow);
  if (ours.length > 0) await stopServices({ root, say: printer('services') }, ours);
};

const run = async (): Promise<void> => {
  const children: Child[] = [];
  const stop = listenForStop(say, () => children.map((child) => child.kill()));
  const given = withSecret(env, root);
  const config = loadConfig(given, 'functions');
  const settings = await settlePorts(given, config);
  const metricsPort = loadConfig(settings, 'consumer').metricsPort;
  let services: Services | undefined;
  try {
    services = await ensureServices({ root, env, say: printer('services') });
    if (stop.isRequested()) return;
    children.push(...startBoth(withServices(settings, services)));
    const death = Promise.race(children.map(async (child) => `${child.name} ${await child.ended}`)).then((reason) => {
      if (!stop.isRequested()) throw new Error(`${reason}; stopping everything.`);
    });
    const urls = [`http://127.0.0.1:${config.port}/health`, `http://127.0.0.1:${metricsPort}/healthz`];
    await Promise.race([untilAllAnswer(urls, readyTimeoutMs, stop.isRequested), death, stop.requested]);
    if (!stop.isRequested()) printer('ready')(readyLine(config));
    await Promise.race([death, stop.requested]);
  } finally {
    await stopAll(children, services, config);
  }
};

try {
  await run();
  exit(0);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  exit(1);
}
