import { relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config.ts';
import type { ProcessorContext } from '../../lib/processor.ts';
import { type LoadedProcessor, loadProcessor, ProcessorLoadError } from '../../lib/runs/load-processor.ts';
import { runsSupportFile } from './support/support-file.ts';

const fromEnvironment = {
  maxAttempts: 5,
  retryBaseMs: 200,
  retryMaxMs: 30_000,
  retryAfterMaxMs: 86_400_000,
  failurePolicy: 'skip',
  runTimeoutMs: 0,
  interruptionPolicy: 'rerun',
  maxRunTimeoutMs: 900_000,
  maxRequestAttempts: 20,
  webhookUrl: undefined,
  webhookSecret: undefined,
  webhookTimeoutMs: 1_000,
} as const;

const load = (processor: string, more: Partial<Config> = {}) =>
  loadProcessor({ config: { ...fromEnvironment, processor, ...more }, clock: systemClock });

const processorOf = (loaded: LoadedProcessor) => ('processor' in loaded ? loaded.processor : undefined);
const textProcessorOf = (loaded: LoadedProcessor) => ('processor' in loaded ? undefined : loaded.textProcessor);

const file = (name: string) => runsSupportFile(`processors/${name}`);

describe('PROCESSOR', () => {
  test('echo returns the text of the request, unchanged', async () => {
    const body = '[9007199254740993, 1e400, 1.0, -0]';
    expect(await textProcessorOf(await load('echo'))?.(body, {} as ProcessorContext)).toBe(body);
  });

  test.each([
    ['an absolute path', file('good.ts')],
    ['a path from the working folder', `./${relative(process.cwd(), file('good.ts'))}`],
    ['a path from the working folder without a dot', relative(process.cwd(), file('good.ts'))],
    ['a file URL', pathToFileURL(file('good.ts')).href],
  ])('names a module by %s', async (_name, name) => {
    expect(await processorOf(await load(name))?.(5, {} as ProcessorContext)).toEqual({ processed: 5 });
  });

  test('names a package', async () => {
    expect(typeof processorOf(await load('pino'))).toBe('function');
  });

  test.each([
    ['there is no such file', './no-such-file.ts', 'does not exist'],
    ['there is no such package', 'no-such-package-anywhere', 'could not be loaded'],
    ['the module throws', file('broken.ts'), 'broken on purpose'],
    ['there is no default export', file('none.ts'), 'has no default export'],
    ['the default export is not a function', file('object.ts'), 'exports a default object'],
  ])('fails to load, with its name in the message, when %s', async (_name, name, reason) => {
    const refusal = await load(name).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ProcessorLoadError);
    expect((refusal as Error).message).toContain(name);
    expect((refusal as Error).message).toContain(reason);
  });

  test('webhook needs a URL and a secret with a key in it', async () => {
    await expect(load('webhook')).rejects.toThrow('needs WEBHOOK_URL and WEBHOOK_SECRET');
    const webhookUrl = 'http://127.0.0.1:1/';
    await expect(load('webhook', { webhookUrl, webhookSecret: 'whsec_!!!!!!!!!!!!!!' })).rejects.toThrow(
      ProcessorLoadError,
    );
    const webhook = await load('webhook', { webhookUrl, webhookSecret: 'sixteen bytes ok' });
    expect(typeof textProcessorOf(webhook)).toBe('function');
  });
});

describe('the policy of a processor', () => {
  test('comes from the environment when its module exports none', async () => {
    expect((await load(file('good.ts'))).policy).toEqual({
      maxAttempts: 5,
      retryBaseMs: 200,
      retryMaxMs: 30_000,
      retryAfterMaxMs: 86_400_000,
      ceilings: { timeoutMs: 900_000, maxAttempts: 20 },
      onFailure: 'skip',
      timeoutMs: 0,
      onInterruption: 'rerun',
    });
    const blocking = await load('echo', { failurePolicy: 'block', runTimeoutMs: 700 });
    expect(blocking.policy).toMatchObject({ onFailure: 'block', timeoutMs: 700 });
  });

  test('comes from the module before the environment', async () => {
    expect((await load(file('with-policy.ts'))).policy).toEqual({
      maxAttempts: 2,
      retryBaseMs: 200,
      retryMaxMs: 30_000,
      retryAfterMaxMs: 86_400_000,
      ceilings: { timeoutMs: 900_000, maxAttempts: 20 },
      onFailure: 'block',
      timeoutMs: 1_500,
      onInterruption: 'dead-letter',
    });
  });

  test('fails to load, with every validation error, when it is out of range', async () => {
    const refusal = await load(file('bad-policy.ts')).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ProcessorLoadError);
    const { message } = refusal as Error;
    for (const part of ['bad-policy.ts', 'policy.maxAttempts', 'policy.onFailure', 'policy: ', 'timeoutSeconds']) {
      expect(message).toContain(part);
    }
  });

  test('fails to load when its longest pause is below the shortest, wherever they come from', async () => {
    await expect(load(file('long-pause.ts'))).rejects.toThrow('retryMaxMs (30000) is below retryBaseMs (60000)');
    await expect(load(file('long-pause.ts'), { retryMaxMs: 60_000 })).resolves.toBeDefined();
  });
});
