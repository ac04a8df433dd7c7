/** One RabbitMQ connection, opened on demand and opened again after it was lost. */
import type { Duplex } from 'node:stream';
import type { ChannelModel } from 'amqplib';
import { systemClock } from '../clock.ts';
import { BrokerUnavailableError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { warnSeldom, watchOutages } from '../outage.ts';
import { sharePromise } from '../shared-promise.ts';
import { withTimeout } from '../timeout.ts';
import { beatFaster } from './heartbeat.ts';
import { type ConnectionOptions, createOpener } from './open-connection.ts';

export type BrokerConnection = {
  /** The live connection; opens one if there is none. @throws {BrokerUnavailableError} */
  get(): Promise<ChannelModel>;
  /** The error that ended this connection, if there was one. */
  failureOf(model: ChannelModel): Error | undefined;
  /** Whether the broker has raised an alarm. It reads nothing that we send until the alarm is over. */
  isBlocked(): boolean;
  /** Gives this connection up; the next `get` opens a new one. */
  drop(model: ChannelModel): void;
  /** Every `get` after it rejects. */
  close(): Promise<void>;
};

/** After this time without an answer to a close, the socket is destroyed. A channel is left to its connection. */
export const closeTimeoutMs = 2_000;
const outageTexts = { away: 'RabbitMQ is not available', back: 'RabbitMQ is available again' };

const socketOf = (model: ChannelModel): Duplex => (model.connection as unknown as { stream: Duplex }).stream;

/** How many channels this connection may have, as the server and we agreed. */
export const channelMaxOf = (model: ChannelModel): number =>
  (model.connection as unknown as { channelMax: number }).channelMax;

/** Whether the connection has ended, as amqplib knows it. */
export const isLost = (model: ChannelModel): boolean => socketOf(model).writableEnded;

/** amqplib only half-closes a socket, and a blocked or frozen server does not notice that. */
const destroySocket = (model: ChannelModel, cause?: Error): void => {
  socketOf(model).destroy(cause);
};

/** Closes the connection. amqplib resolves a close when the server answers, and rejects it when it is closed already: both will do. */
const end = async (model: ChannelModel): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    const done = () => resolve();
    model.once('close', done);
    model.close().then(done, done);
  });
  await withTimeout(systemClock, closeTimeoutMs, closed, () => {
    // The cause makes amqplib stop its heartbeats and close its channels.
    destroySocket(model, new Error(`RabbitMQ did not answer a close within ${closeTimeoutMs} ms`));
  });
};

export const createConnection = (options: ConnectionOptions, log: Logger): BrokerConnection => {
  const connectionName = { connection: options.name };
  // Logged here and not by the callers: a consumer tries to open each of its lanes again and again.
  const outages = watchOutages(log, outageTexts, connectionName);
  // A server may close each new connection, for instance because its limit of channels is reached.
  const logFailure = warnSeldom(log, 'the RabbitMQ connection failed', connectionName);
  const failures = new WeakMap<ChannelModel, Error>();
  let blocked = false;
  let closed = false;

  const open = createOpener(options, outages, log);

  const shared = sharePromise(async (forget) => {
    const model = await open();
    const lost = () => {
      blocked = false;
      forget();
      destroySocket(model);
    };
    blocked = false;
    // Each channel that is being opened listens too, and a worker opens one for every lane.
    model.setMaxListeners(0);
    model.on('error', (error: Error) => {
      failures.set(model, error);
      logFailure(error);
    });
    model.on('blocked', (reason) => {
      blocked = true;
      log.warn({ reason, ...connectionName }, 'connection blocked by RabbitMQ (resource alarm)');
    });
    model.on('unblocked', () => {
      blocked = false;
    });
    model.once('close', lost);
    // amqplib reads on before it returns the connection: it may have been closed before a listener could be added.
    if (isLost(model)) lost();
    else if (options.frozenAfterMs !== undefined) beatFaster(model, options.heartbeatSeconds);
    return model;
  });

  return {
    async get() {
      if (closed) throw new BrokerUnavailableError('The connection to RabbitMQ is closed.');
      return shared.get();
    },
    failureOf: (model) => failures.get(model),
    isBlocked: () => blocked,
    drop(model) {
      const current = shared.current();
      current?.then(
        (live) => live === model && shared.forget(current),
        () => undefined,
      );
      void end(model);
    },
    async close() {
      closed = true;
      const current = shared.current();
      const model = await current?.catch(() => undefined);
      shared.forget(current);
      if (model) await end(model);
    },
  };
};
