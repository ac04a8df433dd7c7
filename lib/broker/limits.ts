/** RabbitMQ's limits that are too low for a worker: how much it needs, and which setting to change. */

/** The channels of the connection of a worker's lanes: one for each lane, and briefly another one to declare its user queues. */
export const channelsNeeded = (lanes: number): number => 2 * lanes;

/** How amqplib says that every channel of the connection is in use. */
export const isOutOfChannels = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('No channels left');

/** @param url the connection's; it may set a limit of its own. */
export const tooFewChannels = (channelMax: number, lanes: number, url: string): string => {
  const needed = channelsNeeded(lanes);
  const setting = /[?&]channelMax=/.test(url)
    ? 'channelMax in RABBITMQ_URL'
    : 'channel_max in the configuration of RabbitMQ';
  return (
    `A connection may have ${channelMax} channels, and a worker needs ${needed}: one for each of its ${lanes} lanes, and as many ` +
    `to declare user queues. ${channelMax < lanes ? 'Lanes remain without an owner' : 'Some users are served from the ledger'}. ` +
    `Set ${setting} to ${needed} or more. In a new installation a smaller LANES helps too.`
  );
};

/** What RabbitMQ answers when one of its limits is reached, and what to do. */
const limits: { pattern: RegExp; remedy: (lanes: number) => string }[] = [
  {
    pattern: /number of channels opened for user/i,
    remedy: (lanes) =>
      `Each worker needs ${channelsNeeded(lanes)} channels for its lanes, and more for open user queues and to publish: ` +
      "raise or clear the user's limit max-channels (rabbitmqctl set_user_limits).",
  },
  {
    pattern: /number of channels opened on node/i,
    remedy: (lanes) =>
      `Each worker needs ${channelsNeeded(lanes)} channels for its lanes, and more for open user queues and to publish: ` +
      'raise channel_max_per_node in the configuration of RabbitMQ.',
  },
  {
    pattern: /consumers per channel/i,
    remedy: () =>
      'A channel needs up to 250 consumers, one for each open user queue: raise ' +
      'consumer_max_per_channel in the configuration of RabbitMQ.',
  },
  {
    pattern: /queue limit in (vhost|cluster)/i,
    remedy: (lanes) =>
      `Lanekeeper needs ${lanes} queues for its lanes and one for each open user queue: raise the limit, which is max-queues ` +
      'for a virtual host (rabbitmqctl set_vhost_limits) and cluster_queue_limit for a cluster.',
  },
];

/** The error's own message, and what to do where a limit of RabbitMQ is the reason. */
export const explain = (error: unknown, lanes: number): Error => {
  const message = error instanceof Error ? error.message : String(error);
  const limit = limits.find(({ pattern }) => pattern.test(message));
  if (limit) return new Error(`${message}. ${limit.remedy(lanes)}`);
  return error instanceof Error ? error : new Error(message);
};
