import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { decidePolicy, type PolicyConfig, PolicyError } from './policy.ts';
import type { LoadedProcessor, Processor } from './processor.ts';
import { createWebhookProcessor } from './webhook.ts';

/** Thrown at start when `PROCESSOR` is not usable. */
export class ProcessorLoadError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'bad-processor', status: 500, cause });
  }
}

/** The default: the request is its own result. */
export const echo: Processor = (request) => request;

/** A file, from the working folder, or a URL; what is neither is the name of a package. */
const moduleOf = (name: string): string => {
  const path = resolve(name);
  return !name.startsWith('file:') && existsSync(path) ? pathToFileURL(path).href : name;
};

type ProcessorModule = { default: Processor; policy?: unknown };

const importProcessor = async (name: string): Promise<ProcessorModule> => {
  if (/^\.{0,2}\//.test(name) && !existsSync(name)) {
    throw new ProcessorLoadError(`PROCESSOR=${name}: there is no file ${resolve(name)}`);
  }
  const module: { default?: unknown; policy?: unknown } = await import(moduleOf(name)).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProcessorLoadError(`PROCESSOR=${name} could not be loaded: ${reason}`, cause);
  });
  if (typeof module.default !== 'function') {
    throw new ProcessorLoadError(
      `PROCESSOR=${name}: its default export is ${module.default === undefined ? 'missing' : `of type ${typeof module.default}`}; ` +
        'it must be a function (request, { userId, seq, attempt, fencingToken, signal, logger }) => result',
    );
  }
  return module as ProcessorModule;
};

type LoadDeps = {
  config: PolicyConfig & Pick<Config, 'processor' | 'webhookUrl' | 'webhookSecret' | 'webhookTimeoutMs'>;
  clock: Pick<Clock, 'now' | 'after'>;
};

const createWebhook = ({ config, clock }: LoadDeps): Processor => {
  const { webhookUrl: url, webhookSecret: secret, webhookTimeoutMs: timeoutMs } = config;
  if (!url || !secret) throw new ProcessorLoadError('PROCESSOR=webhook needs WEBHOOK_URL and WEBHOOK_SECRET');
  try {
    return createWebhookProcessor({ url, secret, timeoutMs }, clock);
  } catch (cause) {
    throw new ProcessorLoadError(`PROCESSOR=webhook: ${(cause as Error).message}`, cause);
  }
};

const moduleNamed = async (deps: LoadDeps): Promise<ProcessorModule> => {
  if (deps.config.processor === 'echo') return { default: echo };
  if (deps.config.processor === 'webhook') return { default: createWebhook(deps) };
  return importProcessor(deps.config.processor);
};

/**
 * The processor that `PROCESSOR` names (`echo`, `webhook`, a file, a file URL or a package), and its policy: what the module
 * exports as `policy`, over the environment.
 *
 * @throws {ProcessorLoadError} when there is none, its default export is not a function, or its policy is out of range.
 */
export const loadProcessor = async (deps: LoadDeps): Promise<LoadedProcessor> => {
  const { default: processor, policy } = await moduleNamed(deps);
  try {
    return { processor, policy: decidePolicy(policy, deps.config) };
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw new ProcessorLoadError(`PROCESSOR=${deps.config.processor}: ${cause.message}`, cause);
  }
};
