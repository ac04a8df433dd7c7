/** Whether a server can be used, and which ports are free. A port that accepts proves little: RabbitMQ listens before it is ready. */
import { connect } from 'amqplib';
import getPort, { clearLockedPorts, portNumbers } from 'get-port';
import mongoose from 'mongoose';
import { urlsOfHosts } from '../../lib/server-url.ts';

/** Why the server does not let this URL in; `undefined` when it does. */
export type Probe = (url: string) => Promise<string | undefined>;

const timeoutMs = 2_000;

const reasonOf = (attempt: Promise<unknown>): Promise<string | undefined> =>
  attempt.then(
    () => undefined,
    (error) => error.message || String(error),
  );

/** Of several hosts one will do. */
export const probeRabbitmq: Probe = async (url) => {
  const reasons: string[] = [];
  for (const urlOfHost of urlsOfHosts(url)) {
    const reason = await reasonOf(connect(urlOfHost, { timeout: timeoutMs }).then((model) => model.close()));
    if (reason === undefined) return undefined;
    reasons.push(reason);
  }
  return reasons.join('; ');
};

export const probeMongodb: Probe = async (url) => {
  // Without its own limit, a connection to a server that sends nothing stays open for 30 s, even after close().
  const limits = { serverSelectionTimeoutMS: timeoutMs, connectTimeoutMS: timeoutMs };
  const client = new mongoose.mongo.MongoClient(url, limits);
  // Unlike `ping` this needs a login where the server wants one. With these options every user may run it.
  const options = { nameOnly: true, authorizedCollections: true };
  return reasonOf(client.db().listCollections({}, options).toArray()).finally(() => client.close());
};

export const isFree = async (port: number): Promise<boolean> => {
  clearLockedPorts(); // get-port never gives the same port twice otherwise
  return (await getPort({ host: '127.0.0.1', port })) === port;
};

/** Below the range that systems take outgoing ports from, so that a restarted server finds its port still free. */
const portRange = { from: 20_000, to: 32_000 };

/** Searches from a random port on, so that two processes that search at the same time find different ones. */
export const freePort = (): Promise<number> => {
  const first = portRange.from + Math.floor(Math.random() * (portRange.to - portRange.from));
  return getPort({ host: '127.0.0.1', port: portNumbers(first, portRange.to) });
};
