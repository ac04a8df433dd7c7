/** The internal endpoints of a process: its metrics, and those that tell an orchestrator how it is. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from './errors.ts';
import type { Logger } from './log.ts';

export type Endpoints = { port: number; close(): void };

type Probes = {
  /** Whether it is ready to work, and why not. */
  health: () => { healthy: boolean; body: unknown };
  /** What `/livez` shows. */
  state: () => string;
  /** What `/backlog` shows. `undefined`: it is not known. */
  backlog: () => unknown;
};

type EndpointsOptions = {
  host: string;
  /** 0 means any free port. */
  port: number;
  /** The environment variable of `port`, for the error. */
  portSetting: string;
  log: Logger;
  /** Without it `/healthz`, `/livez` and `/backlog` are not served. */
  probes?: Probes;
  metrics: () => Promise<string>;
  metricsType: string;
};

/** Thrown at start when the port of `/metrics` is taken or not allowed. */
export class CannotListenError extends AppError {
  constructor({ host, port, portSetting }: Pick<EndpointsOptions, 'host' | 'port' | 'portSetting'>, cause: Error) {
    const advice = `Set METRICS_HOST and ${portSetting}; ${portSetting}=0 means any free port.`;
    super(`Cannot serve /metrics on ${host}:${port} (${cause.message}). ${advice}`, {
      code: 'cannot-listen',
      status: 500,
      cause,
    });
  }
}

const respond = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
};

const backlogUnknown = {
  reason:
    'No worker has counted the pending requests in the last minute. Keep the number of consumers, and see /healthz.',
};

/** The probes' answer as JSON; `undefined` for any other path. */
const answerOf = (path: string | undefined, probes: Probes): { status: number; body: unknown } | undefined => {
  if (path === '/livez') return { status: 200, body: { state: probes.state() } };
  if (path === '/backlog') {
    const backlog = probes.backlog();
    return backlog ? { status: 200, body: backlog } : { status: 503, body: backlogUnknown };
  }
  if (path !== '/healthz') return undefined;
  const { healthy, body } = probes.health();
  return { status: healthy ? 200 : 503, body };
};

/**
 * Serves `GET /metrics`, and with `probes` `GET /healthz` (200 or 503), `GET /backlog` (200, or 503 while it is not known) and `GET
 * /livez` (200 as long as this process can answer: whatever else is wrong, to kill it helps nobody).
 *
 * @throws {CannotListenError}
 */
export const openEndpoints = async (options: EndpointsOptions): Promise<Endpoints> => {
  const { probes } = options;
  const routes = probes ? '/healthz, /livez, /backlog or /metrics' : '/metrics';
  const sendMetrics = async (response: ServerResponse) => {
    try {
      respond(response, 200, options.metricsType, await options.metrics());
    } catch (err) {
      options.log.error({ err }, 'failed to collect the metrics');
      respond(response, 500, 'text/plain', 'failed to collect the metrics\n');
    }
  };
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET') return respond(response, 405, 'text/plain', 'only GET is allowed\n');
    if (path === '/metrics') return void sendMetrics(response);
    const answer = probes && answerOf(path, probes);
    if (!answer) return respond(response, 404, 'text/plain', `no such route; try ${routes}\n`);
    respond(response, answer.status, 'application/json', JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new CannotListenError(options, cause)));
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
