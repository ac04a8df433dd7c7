/** The ways that RabbitMQ and MongoDB have in common. */
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutPassword } from './checkout.ts';
import { NoServerError, type Refused, type Way } from './choose.ts';
import { type ServerName, startContainer, whyNoCompose } from './compose.ts';
import type { Running } from './private-server.ts';
import { type Address, accepts } from './probe.ts';

export const refused = (reason: string): Refused => ({ refused: reason });

/** The hosts that a URL names, of which a mongodb:// URL may have several; none that we can try for mongodb+srv://. */
export const addressesOf = (url: string): Address[] => {
  const match = /^(amqps?|mongodb):\/\/(?:[^@/]*@)?([^/?]+)/.exec(url);
  if (!match) return [];
  const usual = { amqp: 5_672, amqps: 5_671, mongodb: 27_017 }[match[1] as 'amqp' | 'amqps' | 'mongodb'];
  return (match[2] ?? '').split(',').map((host) => {
    const [, name = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
    return { host: name.replace(/^\[|\]$/g, ''), port: port ? Number(port) : usual };
  });
};

const environmentWaitMs = 5_000;

const anyAccepts = async (addresses: Address[], waitMs: number): Promise<boolean> => {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const answers = await Promise.all(addresses.map((address) => accepts(address)));
    if (answers.includes(true)) return true;
    if (Date.now() > deadline) return false;
    await sleep(200);
  }
};

/** A server that somebody named is used or missed, never replaced: their data is there. */
export const namedInEnvironment = (variable: string, url: string | undefined, waitMs = environmentWaitMs): Way => ({
  name: 'environment',
  async find() {
    if (!url) return refused(`${variable} is not set`);
    const addresses = addressesOf(url);
    if (addresses.length > 0 && !(await anyAccepts(addresses, waitMs))) {
      throw new NoServerError(
        `${variable} names ${withoutPassword(url)}, and nothing answers there. Unset it or start it.`,
      );
    }
    return { url, label: `named in ${variable}` };
  },
});

/** What this checkout started and still runs: it has this checkout's data, so it goes before the usual port. */
export const alreadyRunning = (find: () => Promise<Pick<Running, 'url' | 'label'> | undefined>): Way => ({
  name: 'running',
  async find() {
    const running = await find();
    if (!running) return refused('none runs from here');
    return { url: running.url, label: `already running: ${running.label}` };
  },
});

export const composed = (root: string, server: ServerName): Way => ({
  name: 'compose',
  async find() {
    const reason = await whyNoCompose();
    if (reason) return refused(reason);
    return { url: await startContainer(root, server), label: 'container of docker-compose.yml', startedNow: true };
  },
});
