/** What serves the API in one process: the gateway with its functions. */
import type { RequestHandler } from 'express';
import type { FunctionDeps } from '../deps.ts';
import { connectionsWithin, filesOfApi, warnOfFewFiles } from '../open-files.ts';
import { type Gateway, serveGateway } from './gateway.ts';

/** Opens and closes what the functions share. */
export type OpenDeps = { functionDeps(): Promise<FunctionDeps>; closeFunctionDeps(): Promise<void> };

/** @throws {CannotServeError} */
export const serveApi = async (
  deps: Pick<FunctionDeps, 'config' | 'log' | 'userQueues' | 'clock' | 'websockets'>,
  observe: RequestHandler,
): Promise<Gateway> => {
  const { config, log } = deps;
  warnOfFewFiles(log, filesOfApi(config), `MAX_CONNECTIONS (${config.maxConnections}) and the servers`);
  const maxConnections = connectionsWithin(config.maxConnections);
  const gateway = await serveGateway({ ...config, maxConnections }, deps, observe);
  log.info({ port: gateway.port }, 'API ready');
  return gateway;
};

/** Takes no new call, lets the calls end for `graceMs`, and ends the streams: their clients go on at another process. */
export const closeGently = async (
  gateway: Gateway,
  { config, feed, overviews }: Pick<FunctionDeps, 'config' | 'feed' | 'overviews'>,
): Promise<void> => {
  const closed = gateway.close(config.graceMs);
  feed.drain();
  overviews.drain();
  await closed;
};
