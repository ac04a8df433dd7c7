/**
 * What amqplib 2.3 does not do for a channel that the server closes: it gives the channel's number free at once, and ends the
 * whole connection when a delivery arrives that the server had sent before it read our answer. That happens in 3 of 10 cases
 * when consumers have a backlog. Here the number stays taken for a while, and what arrives for it is ignored.
 */
import type { Channel, ChannelModel } from 'amqplib';

/** The server has read our answer long before, and then sends nothing more. */
const keepMs = 10_000;

/** The fields of amqplib's own connection that its public types leave out. */
type ChannelTable = {
  channels: ({ channel: { accept(): void; toClosed(): void }; buffer: { end(): void } } | null)[];
  freeChannels: { set(channelNumber: number): void };
  releaseChannel(channelNumber: number): void;
};

/**
 * `mayDeliver`: whether something may still arrive. Nothing comes after our own close, which waits for the server's answer, nor
 * on a channel that never had a consumer.
 *
 * Call it before anybody else listens to the channel's `close`: a listener may open a channel, and take the number.
 */
export const ignoreLateDeliveries = (model: ChannelModel, channel: Channel, mayDeliver: () => boolean): void => {
  const table = model.connection as unknown as ChannelTable;
  channel.once('close', () => {
    const number = (channel as unknown as { ch: number }).ch;
    if (!mayDeliver() || table.channels[number] !== null) return;
    const release = (): void => {
      clearTimeout(timer);
      table.releaseChannel(number);
    };
    const timer = setTimeout(release, keepMs).unref();
    table.freeChannels.set(number);
    // The connection closes all its channels when it ends.
    table.channels[number] = {
      channel: { accept: () => undefined, toClosed: release },
      buffer: { end: () => undefined },
    };
  });
};
