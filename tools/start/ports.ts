/** The ports of `npm start`, and what it says about a port that is in use. */
import type { Config } from '../../lib/config.ts';
import { freePort, isFree } from '../services/probe.ts';
import type { Place, StartNote } from './earlier.ts';

const askTimeoutMs = 3_000;

/** Only our API answers `/health` with both servers. */
const isLanekeeper = async (port: number): Promise<boolean> => {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(askTimeoutMs) });
    const health = (await response.json()) as object;
    return 'rabbitmq' in health && 'mongodb' in health;
  } catch {
    return false;
  }
};

const whoUses = async (port: number, running: StartNote[], { command }: Place): Promise<string> => {
  const own = running.find((note) => note.port === port);
  const here = command === 'npm start' ? 'checkout' : 'folder';
  if (own)
    return ` by ${own.command} of this ${here}, which still runs (process ${own.starter.pid}). Stop it with Ctrl-C`;
  if (await isLanekeeper(port)) return ` by a Lanekeeper API that this ${here} did not start. Stop it`;
  return '. Free it';
};

/**
 * Beside another start the metrics take any free port, which nobody has to know. The API's port is one that people know.
 *
 * @param running each other start of this folder.
 */
export const settlePorts = async (
  settings: NodeJS.ProcessEnv,
  config: Pick<Config, 'port' | 'metricsPort'>,
  running: StartNote[],
  place: Place,
): Promise<NodeJS.ProcessEnv> => {
  const { port, metricsPort } = config;
  if (!(await isFree(port))) {
    const who = await whoUses(port, running, place);
    throw new Error(`Port ${port} is in use${who}, or choose another port: PORT=${port + 1} ${place.command}`);
  }
  if (settings.METRICS_PORT || (await isFree(metricsPort))) return settings;
  return { ...settings, METRICS_PORT: String(await freePort()) };
};
