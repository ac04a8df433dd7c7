/** What doctor checks without a server: Node, the limit of open files, ports, the processor. */
import { createServer } from 'node:net';
import process from 'node:process';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config.ts';
import { filesOfApi, filesOfWorker, openFilesLimit } from '../../lib/open-files.ts';
import { loadProcessor } from '../../lib/runs/load-processor.ts';
import type { Role } from '../../lib/settings.ts';
import { withTimeout } from '../../lib/timeout.ts';
import { isSupportedNode, whichNode } from '../node-versions.ts';
import { broken, type Finding, messageOf, ok, warning } from './finding.ts';

const loadTimeoutMs = 30_000;
const askTimeoutMs = 2_000;

export const checkNode = (version = process.versions.node): Finding =>
  isSupportedNode(version) ? ok('Node.js', version) : broken('Node.js', version, whichNode);

export const checkOpenFiles = (role: Role, config: Config, limit = openFilesLimit()): Finding => {
  const [check, needed, lower] =
    role === 'functions'
      ? ['open files (API)', filesOfApi(config), 'MAX_CONNECTIONS']
      : ['open files (consumer)', filesOfWorker(config), 'CONCURRENCY'];
  if (limit === undefined || limit >= needed) return ok(check, `${limit ?? 'no limit'}; ${needed} may be needed`);
  return warning(check, `${limit}; ${needed} may be needed`, `Raise ulimit -n to ${needed}, or lower ${lower}.`);
};

const isFree = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(messageOf(error)));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });

/** Only Lanekeeper answers `/livez` in this way. */
const isOurs = async (host: string, port: number): Promise<boolean> => {
  const name = ['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  const options = { signal: AbortSignal.timeout(askTimeoutMs) };
  return fetch(`http://${name}:${port}/livez`, options).then(
    async (response) => response.ok && /"state"|"status"/.test(await response.text()),
    () => false,
  );
};

export const checkPort = async (role: Role, config: Config): Promise<Finding> => {
  const [check, host, port, variable] =
    role === 'functions'
      ? ['port of the API', config.host, config.port, 'PORT']
      : ['port of /metrics', config.metricsHost, config.metricsPort, 'METRICS_PORT'];
  const reason = await isFree(host, port);
  if (!reason) return ok(check, `${host}:${port} is free`);
  if (await isOurs(host, port)) return ok(check, `${host}:${port}: Lanekeeper listens already`);
  return broken(check, reason, `Stop what uses it, or choose another port: ${variable}.`);
};

export const checkProcessor = async (config: Config): Promise<Finding> => {
  const { processor } = config;
  if (processor === 'echo')
    return warning(
      'processor',
      'echo: every request is its own result',
      'Name yours in PROCESSOR, such as ./processor.ts.',
    );
  const loading = loadProcessor({ config, clock: systemClock });
  try {
    const loaded = await withTimeout(systemClock, loadTimeoutMs, loading, () => {
      throw new Error(`PROCESSOR=${processor} did not load within ${loadTimeoutMs / 1_000} s.`);
    });
    return ok('processor', `${processor} loads; up to ${loaded.policy.maxAttempts} attempts`);
  } catch (error) {
    return broken(
      'processor',
      messageOf(error),
      'Paths start at the working folder. The error says what its code lacks.',
    );
  }
};
