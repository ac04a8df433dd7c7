/** Starts a consumer: in this process, or as processes of its own. */
import { startInProcess } from '../compose/in-process.ts';
import type { Config } from '../config.ts';
import { ConfigError } from '../errors.ts';
import { exitMarginMs } from '../limits.ts';
import type { Logger } from '../log.ts';
import { environmentOfRuns } from '../secrets.ts';
import { settings } from '../settings.ts';
import { startConsumerProcesses } from './consumer-processes.ts';
import type { StartedConsumer } from './consumers.ts';
import { logOutput } from './output.ts';
import { configOf, environmentOf } from './settings.ts';
import type { ConsumedProcessor, ConsumeOptions } from './types.ts';

type Started = { environment: Record<string, string>; log: Logger };

/** What processors and children may see: what this process has, without settings that nobody asked the library to read. */
const surroundings = (): NodeJS.ProcessEnv => {
  const names = new Set<string>(Object.values(settings).map(({ name }) => name));
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !names.has(name)));
};

const startHere = async (
  processor: ConsumedProcessor,
  config: Config,
  { policy, env, log }: { policy: ConsumeOptions['policy']; env: NodeJS.ProcessEnv; log: Logger },
): Promise<StartedConsumer> => {
  const own = typeof processor === 'function' ? { processor, policy } : undefined;
  const worker = await startInProcess({ config, log, env, output: logOutput(log), own });
  const failed = Promise.withResolvers<unknown>();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= worker.stop();
    return closing;
  };
  void worker.failed.then(async (err) => {
    log.fatal({ err }, 'the consumer failed');
    await close().catch((error) => log.error({ err: error }, 'unclean shutdown'));
    failed.resolve(err);
  });
  void worker.mustRetire.then(() =>
    log.error('a run that an operator ended ignores its signal; it ends with this process, and its user waits for it'),
  );
  const consumer = { failed: failed.promise, metrics: worker.metrics, close, [Symbol.asyncDispose]: close };
  return { consumer, closesWithinMs: config.graceMs + exitMarginMs };
};

export const startConsumer = async (
  processor: ConsumedProcessor,
  { workers = 'in-process', policy, ...options }: ConsumeOptions,
  { environment, log }: Started,
): Promise<StartedConsumer> => {
  const isFunction = typeof processor === 'function';
  if (!isFunction && policy) throw new ConfigError(['policy: a module exports its own'], 'options');
  if (isFunction && workers !== 'in-process') {
    throw new ConfigError(['workers: processes of their own need a module, not a function'], 'options');
  }
  if (workers === 'in-process' && (options.metricsPort !== undefined || options.metricsHost !== undefined)) {
    throw new ConfigError(['metricsPort, metricsHost: only processes of their own serve metrics'], 'options');
  }
  const own = {
    METRICS_PORT: '0',
    ...environment,
    ...environmentOf(options),
    ...(isFunction ? {} : { PROCESSOR: String(processor) }),
    ...(workers === 'in-process' ? {} : { WORKERS: String(workers) }),
    LOG_LEVEL: log.level,
  };
  const config = configOf(own);
  const env = { ...surroundings(), ...own };
  if (workers !== 'in-process') return startConsumerProcesses(env, { log, graceMs: config.graceMs });
  return startHere(processor, config, { policy, env: environmentOfRuns(env), log });
};
