/** The metrics of the API process: its calls by route, and the calls that wait. A test compares their names with the documentation. */
import type { RequestHandler } from 'express';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FunctionDeps } from '../deps.ts';
import { CallerGoneError } from '../errors.ts';
import { feedEventTypes } from '../ports/feed.ts';
import { registerBuildInfo, registerEventLoopLag, registerServersUp } from '../process-metrics.ts';
import { streaming } from './streams.ts';

/** Up to the longest `?wait`. */
const callSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];

const statusClasses = ['2xx', '4xx', '5xx'];

/** The route of a call that takes none. Clients make up its path, which must not become a series. */
const noRoute = 'other';

/** What the gateway notes of a call for the metrics, in `response.locals`. */
export type CallLocals = {
  /** The path of the route as in infra/functions.yml. Absent until the call has taken one. */
  route?: string;
  /** The code of the error that the client receives. */
  code?: string;
};

const createInstruments = (registry: Registry, paths: string[]) => {
  const registers = [registry];
  const requests = new Counter({
    name: 'lanekeeper_api_requests_total',
    help: 'Calls of the API, by route and class of status',
    labelNames: ['route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'lanekeeper_api_request_seconds',
    help: 'Time from the start of a call to its answer, by route',
    labelNames: ['route'],
    buckets: callSeconds,
    registers,
  });
  const errors = new Counter({
    name: 'lanekeeper_api_errors_total',
    help: 'Calls of the API that were answered with an error, by route and code',
    labelNames: ['route', 'code'],
    registers,
  });
  for (const route of new Set([...paths, noRoute])) {
    seconds.zero({ route });
    for (const status of statusClasses) requests.inc({ route, status }, 0);
  }
  return { requests, seconds, errors };
};

/** Counts each call once: when its answer is ready or begins to stream, or when its client has gone before. */
const observeCalls =
  ({ requests, seconds, errors }: ReturnType<typeof createInstruments>): RequestHandler =>
  (_request, response, next) => {
    const startedAt = performance.now();
    let isCounted = false;
    const count = (status: number, code: string | undefined): void => {
      if (isCounted) return;
      isCounted = true;
      const { route = noRoute } = response.locals as CallLocals;
      requests.inc({ route, status: `${Math.floor(status / 100)}xx` });
      seconds.observe({ route }, (performance.now() - startedAt) / 1_000);
      if (code !== undefined) errors.inc({ route, code });
    };
    response.once('prefinish', () => count(response.statusCode, (response.locals as CallLocals).code));
    response.once(streaming, () => count(response.statusCode, undefined));
    response.once('close', () => {
      const { status, code } = new CallerGoneError();
      count(status, code);
    });
    next();
  };

const registerStreams = (registry: Registry, { feed, overviews }: Pick<FunctionDeps, 'feed' | 'overviews'>): void => {
  new Gauge({
    name: 'lanekeeper_api_event_streams_open',
    help: 'Streams of events and of the overview, and calls that wait for them',
    registers: [registry],
    collect() {
      this.set(feed.streams());
    },
  });
  new Counter({
    name: 'lanekeeper_api_events_sent_total',
    help: 'Events that clients were sent, by type',
    labelNames: ['type'],
    registers: [registry],
    collect() {
      this.reset();
      for (const type of feedEventTypes) this.inc({ type }, feed.taken().get(type) ?? 0);
      this.inc({ type: 'overview' }, overviews.taken());
    },
  });
};

/** @param paths of the routes, as in infra/functions.yml. */
export const createApiMetrics = (
  paths: string[],
  {
    longPolls,
    feed,
    overviews,
    websockets,
    health,
  }: Pick<FunctionDeps, 'longPolls' | 'feed' | 'overviews' | 'websockets' | 'health'>,
) => {
  const registry = new Registry();
  const instruments = createInstruments(registry, paths);
  new Gauge({
    name: 'lanekeeper_api_long_polls_open',
    help: 'Calls of the API that wait',
    registers: [registry],
    collect() {
      this.set(longPolls.open());
    },
  });
  new Gauge({
    name: 'lanekeeper_api_websockets_open',
    help: 'WebSocket connections',
    registers: [registry],
    collect() {
      this.set(websockets.open());
    },
  });
  registerStreams(registry, { feed, overviews });
  registerEventLoopLag(registry);
  registerBuildInfo(registry);
  registerServersUp(registry, async () => {
    const { mongodb, rabbitmq } = await health();
    return { mongodb: mongodb.ok, rabbitmq: rabbitmq.ok };
  });
  return { registry, observe: observeCalls(instruments) };
};
