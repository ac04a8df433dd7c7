/** One RabbitMQ connection, made on demand and made again after it was lost. */
import { type ChannelModel, connect } from 'amqplib';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';

export type BrokerConnection = {
  /** The live connection, connecting when there is none. @throws {BrokerUnavailableError} */
  get(): Promise<ChannelModel>;
  /** Gives this connection up without a word to the server; the next `get` makes a new one. */
  drop(model: ChannelModel): void;
  close(): Promise<void>;
};

export type ConnectionOptions = { url: string; name: string; heartbeatSeconds: number; connectTimeoutMs: number };

const withHeartbeat = (url: string, seconds: number): string => {
  const parsed = new URL(url);
  if (!parsed.searchParams.has('heartbeat')) parsed.searchParams.set('heartbeat', String(seconds));
  return parsed.href;
};

export const createConnection = (options: ConnectionOptions, log: Logger): BrokerConnection => {
  let current: Promise<ChannelModel> | undefined;

  const open = async (): Promise<ChannelModel> => {
    const model = await connect(withHeartbeat(options.url, options.heartbeatSeconds), {
      timeout: options.connectTimeoutMs,
      noDelay: true,
      clientProperties: { connection_name: options.name },
    });
    model.on('error', (error) => log.warn({ err: error, connection: options.name }, 'the RabbitMQ connection failed'));
    model.on('blocked', (reason) => log.warn({ reason, connection: options.name }, 'RabbitMQ blocks publishing'));
    return model;
  };

  const forget = (opening: Promise<ChannelModel>): void => {
    if (current === opening) current = undefined;
  };

  const get = async (): Promise<ChannelModel> => {
    if (current) return current;
    const opening = open().catch((error) => {
      forget(opening);
      throw new BrokerUnavailableError('RabbitMQ could not be reached.', error);
    });
    current = opening;
    const model = await opening;
    model.once('close', () => forget(opening));
    return model;
  };

  const end = async (model: ChannelModel): Promise<void> => {
    await model.close().catch((error) => log.debug({ err: error }, 'the RabbitMQ connection was closed already'));
  };

  return {
    get,
    drop(model) {
      current?.then(
        (live) => {
          if (live === model) current = undefined;
        },
        () => undefined,
      );
      void end(model);
    },
    async close() {
      const opening = current;
      current = undefined;
      const model = await opening?.catch(() => undefined);
      if (model) await end(model);
    },
  };
};
