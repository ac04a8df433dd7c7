import type { FunctionConfig } from './config.ts';

/**
 * The part of one of `apiWorkers` processes, so that all of them together keep to the limits of the API. Each has one hash thread and
 * takes one connection of each kind, at least.
 */
export const shareOfWorker = (config: FunctionConfig): FunctionConfig => {
  const share = (whole: number): number => Math.floor(whole / config.apiWorkers);
  return {
    ...config,
    maxConnections: Math.max(1, share(config.maxConnections)),
    maxWebsockets: Math.max(1, share(config.maxWebsockets)),
    maxUnreadBytes: share(config.maxUnreadBytes),
    maxUploadBytes: share(config.maxUploadBytes),
    hashThreads: Math.max(1, share(config.hashThreads)),
    maxWaitingHashes: share(config.maxWaitingHashes),
  };
};
