import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../config.ts';
import type { Clock } from '../ports.ts';
import type { Processor, ProcessorContext } from '../processor.ts';
import { decidePolicy, type PolicyConfig, PolicyError, type RunPolicy } from './policy.ts';
import { ProcessorLoadError } from './processor-load-error.ts';
import { createWebhookProcessor } from './webhook.ts';

export { ProcessorLoadError };

/**
 * Ours: it takes and returns JSON text. Parsing would change numbers: 9007199254740993 becomes 9007199254740992, 1e400 becomes null,
 * and 1.0 and -0 become 1 and 0.
 */
export type TextProcessor = (body: string, context: ProcessorContext) => string | Promise<string>;

type AnyProcessor = { processor: Processor } | { textProcessor: TextProcessor };

/** A processor with the policy of its runs. */
export type LoadedProcessor = AnyProcessor & { policy: RunPolicy };

/** The default: it returns the request as the result. */
const echo: TextProcessor = (body) => body;

/** A path from the working folder or a file URL names a file; any other name is a package. */
const moduleOf = (name: string): string => {
  const path = resolve(name);
  return !name.startsWith('file:') && existsSync(path) ? pathToFileURL(path).href : name;
};

type WithPolicy = AnyProcessor & { exported?: unknown };

const importProcessor = async (name: string): Promise<WithPolicy> => {
  if (/^\.{0,2}\//.test(name) && !existsSync(name)) {
    throw new ProcessorLoadError(`PROCESSOR=${name}: the file ${resolve(name)} does not exist`);
  }
  const module: { default?: unknown; policy?: unknown } = await import(moduleOf(name)).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProcessorLoadError(`PROCESSOR=${name} could not be loaded: ${reason}`, cause);
  });
  if (typeof module.default !== 'function') {
    const found = module.default === undefined ? 'has no default export' : `exports a default ${typeof module.default}`;
    throw new ProcessorLoadError(
      `PROCESSOR=${name}: the module ${found}; the default export must be a function (request, context) => result`,
    );
  }
  return { processor: module.default as Processor, exported: module.policy };
};

type LoadDeps = {
  config: PolicyConfig & Pick<Config, 'processor' | 'webhookUrl' | 'webhookSecret' | 'webhookTimeoutMs'>;
  clock: Pick<Clock, 'now' | 'after'>;
};

const createWebhook = ({ config, clock }: LoadDeps): TextProcessor => {
  const { webhookUrl: url, webhookSecret: secret, webhookTimeoutMs: timeoutMs } = config;
  if (!url || !secret) throw new ProcessorLoadError('PROCESSOR=webhook needs WEBHOOK_URL and WEBHOOK_SECRET');
  try {
    return createWebhookProcessor({ url, secret, timeoutMs }, clock);
  } catch (cause) {
    throw new ProcessorLoadError(`PROCESSOR=webhook: ${(cause as Error).message}`, cause);
  }
};

const processorNamed = async (deps: LoadDeps): Promise<WithPolicy> => {
  if (deps.config.processor === 'echo') return { textProcessor: echo };
  if (deps.config.processor === 'webhook') return { textProcessor: createWebhook(deps) };
  return importProcessor(deps.config.processor);
};

/**
 * Loads the processor that `PROCESSOR` names (`echo`, `webhook`, a file, a file URL or a package), with its policy: what the module
 * exports as `policy`, over the environment.
 *
 * @throws {ProcessorLoadError} when it does not exist, its default export is not a function, or its policy is out of range.
 */
export const loadProcessor = async (deps: LoadDeps): Promise<LoadedProcessor> => {
  const { exported, ...processor } = await processorNamed(deps);
  try {
    return { ...processor, policy: decidePolicy(exported, deps.config) };
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw new ProcessorLoadError(`PROCESSOR=${deps.config.processor}: ${cause.message}`, cause);
  }
};
