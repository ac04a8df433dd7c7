/** One RabbitMQ connection, made on demand and made again after it was lost. */
import type { Duplex } from 'node:stream';
import { type ChannelModel, connect } from 'amqplib';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { watchOutages } from '../outage.ts';

export type BrokerConnection = {
  /** The live connection, connecting when there is none. @throws {BrokerUnavailableError} */
  get(): Promise<ChannelModel>;
  /** The broker has raised an alarm: it reads nothing that we send until it is over. */
  isBlocked(): boolean;
  /** Gives this connection up; the next `get` makes a new one. */
  drop(model: ChannelModel): void;
  /** Every `get` after it rejects. */
  close(): Promise<void>;
};

export type ConnectionOptions = { url: string; name: string; heartbeatSeconds: number };

const connectTimeoutMs = 5_000;
const outageTexts = { away: 'RabbitMQ is not available', back: 'RabbitMQ is available again' };
/** A server that does not answer a close in this time is left: its socket is destroyed. */
const closeTimeoutMs = 2_000;

const withHeartbeat = (url: string, seconds: number): string => {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(seconds));
  return parsed.href;
};

const socketOf = (model: ChannelModel): Duplex => (model.connection as unknown as { stream: Duplex }).stream;

/** amqplib only half-closes a socket, which a blocked or frozen server does not notice. */
const destroySocket = (model: ChannelModel, cause?: Error): void => {
  socketOf(model).destroy(cause);
};

/** amqplib answers a close when the server does, and with an error when it is closed already: what was asked for. */
const end = (model: ChannelModel): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      // With a cause, of which amqplib learns that it is over: it ends its heartbeats and tells its channels.
      destroySocket(model, new Error(`RabbitMQ did not answer a close within ${closeTimeoutMs} ms`));
      done();
    }, closeTimeoutMs);
    model.once('close', done);
    model.close().then(done, done);
  });

export const createConnection = (options: ConnectionOptions, log: Logger): BrokerConnection => {
  // Told here, and not by those who ask: they ask again and again, a consumer for each of its lanes.
  const outages = watchOutages(log, outageTexts, { connection: options.name });
  let current: Promise<ChannelModel> | undefined;
  let blocked = false;
  let closed = false;

  const open = async (): Promise<ChannelModel> => {
    const failuresBefore = outages.failures();
    const model = await connect(withHeartbeat(options.url, options.heartbeatSeconds), {
      timeout: connectTimeoutMs,
      noDelay: true,
      clientProperties: { connection_name: options.name },
    });
    outages.succeeded(failuresBefore);
    blocked = false;
    model.on('error', (error) => log.warn({ err: error, connection: options.name }, 'the RabbitMQ connection failed'));
    model.on('blocked', (reason) => {
      blocked = true;
      log.warn({ reason, connection: options.name }, 'RabbitMQ takes no messages for now');
    });
    model.on('unblocked', () => {
      blocked = false;
    });
    return model;
  };

  const forget = (opening: Promise<ChannelModel>): void => {
    if (current === opening) current = undefined;
  };

  const get = async (): Promise<ChannelModel> => {
    if (closed) throw new BrokerUnavailableError('The connection to RabbitMQ is closed.');
    if (current) return current;
    const opening = open().catch((error) => {
      forget(opening);
      outages.failed(error);
      throw new BrokerUnavailableError('RabbitMQ could not be reached.', error);
    });
    current = opening;
    const model = await opening;
    const lost = () => {
      blocked = false;
      forget(opening);
      destroySocket(model);
    };
    model.once('close', lost);
    // amqplib reads on before it gives the connection out: an end that came with the opening is over before anybody listens.
    if (socketOf(model).writableEnded) lost();
    return model;
  };

  return {
    get,
    isBlocked: () => blocked,
    drop(model) {
      const opening = current;
      void opening?.then(
        (live) => live === model && forget(opening),
        () => undefined,
      );
      void end(model);
    },
    async close() {
      closed = true;
      const model = await current?.catch(() => undefined);
      current = undefined;
      if (model) await end(model);
    },
  };
};
