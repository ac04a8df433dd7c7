import { join } from 'node:path';
import pino from 'pino';
import { createConnection } from '../../lib/broker/connection.ts';
import { installRabbitmq, whyNoApt } from './apt.ts';
import { checkoutId } from './checkout.ts';
import type { Found, Way } from './choose.ts';
import { runningContainer } from './compose.ts';
import { answeringServer } from './private-server.ts';
import { type Address, amqpAnswers } from './probe.ts';
import { findRabbitmq, startRabbitmq } from './rabbitmq.ts';
import { alreadyRunning, composed, namedInEnvironment, refused } from './shared-ways.ts';

const folderOf = (root: string): string => join(root, '.data', 'rabbitmq');

const findRunning = async (root: string) => {
  const running = await answeringServer(folderOf(root), amqpAnswers);
  if (running) return running;
  const url = await runningContainer(root, 'rabbitmq');
  return url ? { url, label: 'container of docker-compose.yml' } : undefined;
};

/** As guest, the user that a fresh RabbitMQ has. */
const lets = async (url: string): Promise<boolean> => {
  const options = { url, name: 'lanekeeper services', heartbeatSeconds: 5 };
  const connection = createConnection(options, pino({ level: 'silent' }));
  try {
    await connection.get();
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
};

const onUsualPort = (root: string, usual: Address): Way => ({
  name: 'usual-port',
  async find() {
    if (!(await amqpAnswers(usual))) return refused(`nothing answers AMQP on port ${usual.port}`);
    const url = `amqp://${usual.host}:${usual.port}`;
    if (!(await lets(url))) return refused(`the RabbitMQ on port ${usual.port} refuses guest: name it in RABBITMQ_URL`);
    return { url, label: `it answers on port ${usual.port}`, queuePrefix: `${checkoutId(root)}.` };
  },
});

const startPrivate = async (binary: string, root: string): Promise<Found> => {
  const running = await startRabbitmq(binary, folderOf(root));
  return { url: running.url, label: running.label, startedNow: true };
};

const installed = (root: string): Way => ({
  name: 'installed',
  async find() {
    const binary = findRabbitmq();
    return binary ? startPrivate(binary, root) : refused('no rabbitmq-server is installed');
  },
});

const byApt = (root: string, say: (line: string) => void): Way => ({
  name: 'apt',
  async find() {
    const reason = whyNoApt();
    if (reason) return refused(reason);
    say("rabbitmq  installing Debian's package rabbitmq-server; this takes a minute");
    await installRabbitmq();
    const binary = findRabbitmq();
    return binary ? startPrivate(binary, root) : refused('apt-get installed no rabbitmq-server');
  },
});

export const rabbitmqRemedy = 'Install RabbitMQ (package rabbitmq-server) or Docker, or name a server in RABBITMQ_URL.';

/** In the order in which they are tried. */
export const waysToRabbitmq = (root: string, env: NodeJS.ProcessEnv, say: (line: string) => void): Way[] => [
  namedInEnvironment('RABBITMQ_URL', env.RABBITMQ_URL),
  alreadyRunning(() => findRunning(root)),
  onUsualPort(root, { host: '127.0.0.1', port: 5_672 }),
  composed(root, 'rabbitmq'),
  installed(root),
  byApt(root, say),
];
