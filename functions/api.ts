/** The HTTP API as a plain server, for containers: what API Gateway does, without AWS. */
import { closeFunctionDeps, functionDeps } from '../lib/compose/functions.ts';
import { serveGateway } from '../lib/gateway/gateway.ts';

const { config, log } = await functionDeps();
const gateway = await serveGateway(config, log);
log.info({ port: gateway.port }, 'the API is ready');

const stop = async (signal: string) => {
  log.info({ signal }, 'the API drains');
  await gateway.close(config.graceMs);
  await closeFunctionDeps();
};
process.once('SIGTERM', stop).once('SIGINT', stop);
