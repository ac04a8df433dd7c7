/** Metrics of any process of ours: whether its servers answer, and how late its event loop is. */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type Counter, Gauge, type Registry } from 'prom-client';

/** A counter whose series begins with its first event seems not to have risen then: `increase` misses that event. */
export const fromZero = <Label extends string>(counter: Counter<Label>, label: Label, values: readonly string[]) => {
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
  return counter;
};

/** How often the delay is sampled. A sample is at least as long. */
const resolutionMs = 10;
/** A scrape sees the longest delay of this time or of up to twice this time, however many there are. */
const windowMs = 30_000;
const nsPerSecond = 1e9;

/** The longest delay of late, in seconds. One watch for the process: a library opens one consumer after another. */
const watchEventLoop = (): (() => number) => {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  let before = 0;
  setInterval(() => {
    before = delays.max;
    delays.reset();
  }, windowMs).unref();
  return () => Math.max(0, Math.max(before, delays.max) / nsPerSecond - resolutionMs / 1_000);
};

let watched: ReturnType<typeof watchEventLoop> | undefined;

export const registerEventLoopLag = (registry: Registry): void => {
  watched ??= watchEventLoop();
  const longest = watched;
  new Gauge({
    name: 'lanekeeper_event_loop_lag_seconds',
    help: 'The longest delay of the event loop in the last 30 to 60 s',
    aggregator: 'max',
    registers: [registry],
    collect() {
      this.set(longest());
    },
  });
};

/** Whether each server answered of late. The worst of all processes counts. */
export const registerServersUp = (
  registry: Registry,
  areUp: () => Promise<{ mongodb: boolean; rabbitmq: boolean }> | { mongodb: boolean; rabbitmq: boolean },
): void => {
  new Gauge({
    name: 'lanekeeper_server_up',
    help: 'Whether the server answers this process: 1 or 0',
    labelNames: ['server'],
    aggregator: 'min',
    registers: [registry],
    async collect() {
      const up = await areUp();
      this.set({ server: 'mongodb' }, Number(up.mongodb));
      this.set({ server: 'rabbitmq' }, Number(up.rabbitmq));
    },
  });
};

export const registerBuildInfo = (registry: Registry): void => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  new Gauge({
    name: 'lanekeeper_build_info',
    help: 'Always 1: the version of Lanekeeper and of Node.js',
    labelNames: ['version', 'node'],
    aggregator: 'max',
    registers: [registry],
  }).set({ version, node: process.version }, 1);
};
