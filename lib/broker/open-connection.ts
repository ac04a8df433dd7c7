/** Connecting to RabbitMQ, or to one of the nodes of its cluster. */
import { type ChannelModel, connect } from 'amqplib';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Outages } from '../outage.ts';
import { urlsOfHosts } from '../server-url.ts';
import { heartbeatSecondsWithin } from './heartbeat.ts';

export type ConnectionOptions = {
  /** One for each host, in the order in which they are tried. */
  urls: string[];
  name: string;
  heartbeatSeconds: number;
  /** Its consumers own lanes: RabbitMQ closes it within this time when the process is frozen. Default: after three heartbeats. */
  frozenAfterMs?: number;
};

const connectTimeoutMs = 5_000;
/** Where there are other hosts: a frozen one accepts the connection and says nothing. Not after all have failed: they may be slow. */
const connectToOneOfManyMs = 2_000;

/** The hosts of `RABBITMQ_URL` in a random order, so that the processes spread over them, also when one of them is gone. */
export const urlsInRandomOrder = (rabbitmqUrl: string): string[] =>
  urlsOfHosts(rabbitmqUrl)
    .map((url) => ({ url, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ url }) => url);

const withHeartbeat = (url: string, { heartbeatSeconds, frozenAfterMs }: ConnectionOptions): string => {
  const parsed = new URL(url);
  const { searchParams } = parsed;
  if (frozenAfterMs !== undefined) searchParams.set('heartbeat', String(heartbeatSecondsWithin(frozenAfterMs)));
  else if (!searchParams.has('heartbeat')) searchParams.set('heartbeat', String(heartbeatSeconds));
  return parsed.href;
};

/** amqplib does not pass on what RabbitMQ said about the virtual host, and of a wrong password only its protocol's words. */
const explained = (error: unknown, url: string): unknown => {
  const { message } = error as Error;
  const { pathname, username } = new URL(url);
  const user = decodeURIComponent(username) || 'guest';
  if (/ConnectionOpenOk.*ConnectionClose/.test(message)) {
    const vhost = decodeURIComponent(pathname.slice(1)) || '/';
    const reasons = `it does not exist, the user ${user} may not use it, or it has all the connections that it may have`;
    return new Error(`RabbitMQ refused the virtual host ${vhost}: ${reasons}`, { cause: error });
  }
  if (!/^Handshake terminated by server: 403/.test(message)) return error;
  return new Error(`RabbitMQ refused the user ${user} or the password in RABBITMQ_URL`, { cause: error });
};

const openTo = async (url: string, options: ConnectionOptions, timeout: number): Promise<ChannelModel> => {
  try {
    return await connect(withHeartbeat(url, options), {
      timeout,
      noDelay: true,
      clientProperties: { connection_name: options.name },
    });
  } catch (error) {
    throw explained(error, url);
  }
};

/**
 * The returned function connects to the first host that lets us in, and begins with the host after the one that was tried last:
 * whoever lost a connection to a frozen host must not wait for that host again.
 *
 * @throws {BrokerUnavailableError} when no host does.
 */
export const createOpener = (options: ConnectionOptions, outages: Outages, log: Pick<Logger, 'info'>) => {
  const { urls, name } = options;
  let tries = 0;
  /** The host that let us in last; at first the one to begin with. */
  let lastUrl = urls[0];
  let haveAllFailed = false;
  return async (): Promise<ChannelModel> => {
    const failuresBefore = outages.failures();
    const reasons: unknown[] = [];
    const timeout = urls.length > 1 && !haveAllFailed ? connectToOneOfManyMs : connectTimeoutMs;
    while (reasons.length < urls.length) {
      const url = urls[tries++ % urls.length] as string;
      try {
        const model = await openTo(url, options, timeout);
        haveAllFailed = false;
        outages.succeeded(failuresBefore);
        if (url !== lastUrl)
          log.info({ connection: name, host: new URL(url).host }, 'connected to another host of RabbitMQ');
        lastUrl = url;
        return model;
      } catch (error) {
        reasons.push(error);
      }
    }
    haveAllFailed = true;
    const reason = reasons.length > 1 ? new AggregateError(reasons) : reasons[0];
    outages.failed(reason);
    throw new BrokerUnavailableError('RabbitMQ could not be reached.', reason);
  };
};
