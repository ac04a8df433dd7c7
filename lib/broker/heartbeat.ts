/** The AMQP heartbeat of a connection whose consumers own lanes: RabbitMQ must notice soon when its process is frozen. */
import type { ChannelModel } from 'amqplib';

/**
 * RabbitMQ looks once an interval whether it has received anything, and closes the connection after two looks in vain. These come two to
 * three intervals after the last byte.
 */
const longestSilence = 3;
/**
 * How often we send something in each interval. amqplib is silent for up to a whole interval: an event loop that is blocked for another
 * one would lose the connection. With this, it may be blocked for 1.75 intervals.
 */
const beatsInInterval = 4;

/** The interval with which RabbitMQ notices a frozen process within this time. AMQP has whole seconds. */
export const heartbeatSecondsWithin = (frozenAfterMs: number): number =>
  Math.max(1, Math.floor(frozenAfterMs / longestSilence / 1_000));

type Internals = {
  /** The interval that both sides agreed on, in seconds. */
  heartbeat: number;
  heartbeater: { clear(): void } | null;
  startHeartbeater(): Internals['heartbeater'];
  sendHeartbeat(): void;
};

/**
 * amqplib has one interval for both directions. We send as often as a short one needs, and expect something of the server only in the
 * longer one: a server that stalls for a moment must not cost every worker its lanes.
 *
 * @param expectSeconds the server is given up after two to three times this.
 */
export const beatFaster = (model: ChannelModel, expectSeconds: number): void => {
  const connection = model.connection as unknown as Internals;
  const { heartbeat } = connection;
  connection.heartbeater?.clear();
  connection.heartbeat = Math.max(expectSeconds, heartbeat);
  connection.heartbeater = connection.startHeartbeater();
  const timer = setInterval(() => connection.sendHeartbeat(), (heartbeat * 1_000) / beatsInInterval);
  model.once('close', () => clearInterval(timer));
};
