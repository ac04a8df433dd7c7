/** Composition root of what posts events to the WebSocket connections of API Gateway, in a worker. */
import { createHintReceiver } from '../broker/hint-receiver.ts';
import { createPublisher } from '../broker/publisher.ts';
import type { Config } from '../config.ts';
import { createFeed } from '../events/feed.ts';
import { createStreamPlaces } from '../events/stream-places.ts';
import type { Logger } from '../log.ts';
import type { LaneObserver } from '../ports.ts';
import { openStores } from '../store/stores.ts';
import { createPost } from '../websocket/post.ts';
import { startPoster } from '../websocket/poster.ts';

type Observed = Pick<LaneObserver, 'laneTaken' | 'laneReleased'>;

export type OpenPoster = {
  /** Tells it which lanes the worker owns. */
  observe<O extends Observed>(observer: O): O;
  close(): Promise<void>;
};

/** Connections are posted to from the worker that owns the lane of their user. `undefined` where there is no API Gateway. */
export const openPoster = async (config: Config, log: Logger): Promise<OpenPoster | undefined> => {
  if (config.websocketEndpoint === undefined) return undefined;
  const lanes = new Set<number>();
  // Connections of its own: the lanes must not wait for what it does.
  const stores = openStores(config, log);
  const publisher = createPublisher(config, log);
  const feed = createFeed({
    ...{ ...stores, log, places: createStreamPlaces(config) },
    openHints: (heard) => createHintReceiver(config, log, heard),
  });
  const { post, close } = await createPost(config.websocketEndpoint);
  const stop = startPoster(lanes, { ...stores, publisher, log, config, feed, post });
  return {
    observe: (observer) => ({
      ...observer,
      laneTaken: (event) => {
        lanes.add(event.lane);
        observer.laneTaken(event);
      },
      laneReleased: (event) => {
        lanes.delete(event.lane);
        observer.laneReleased(event);
      },
    }),
    close: async () => {
      await stop();
      await feed.close();
      close();
      await Promise.all([stores.close(), publisher.close()]);
    },
  };
};
