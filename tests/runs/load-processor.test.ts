import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../lib/clock.ts';
import type { Config } from '../../lib/config.ts';
import { loadProcessor, ProcessorLoadError } from '../../lib/runs/load-processor.ts';
import type { ProcessorContext } from '../../lib/runs/processor.ts';

const fromEnvironment = {
  maxAttempts: 5,
  retryBaseMs: 200,
  retryMaxMs: 30_000,
  failurePolicy: 'skip',
  runTimeoutMs: 0,
  webhookUrl: undefined,
  webhookSecret: undefined,
  webhookTimeoutMs: 1_000,
} as const;

const load = (processor: string, more: Partial<Config> = {}) =>
  loadProcessor({ config: { ...fromEnvironment, processor, ...more }, clock: systemClock });

const file = (name: string) => fileURLToPath(new URL(`../consumer/support/processors/${name}`, import.meta.url));

describe('PROCESSOR', () => {
  test('echo gives the request back', async () => {
    expect((await load('echo')).processor({ a: 1 }, {} as ProcessorContext)).toEqual({ a: 1 });
  });

  test.each([
    ['an absolute path', file('good.ts')],
    ['a path from the working folder', `./${relative(process.cwd(), file('good.ts'))}`],
    ['a path from the working folder without a dot', relative(process.cwd(), file('good.ts'))],
    ['a file URL', pathToFileURL(file('good.ts')).href],
  ])('names a module by %s', async (_name, name) => {
    expect(await (await load(name)).processor(5, {} as ProcessorContext)).toEqual({ processed: 5 });
  });

  test('names a package', async () => {
    expect(typeof (await load('pino')).processor).toBe('function');
  });

  test.each([
    ['there is no such file', './no-such-file.ts', 'there is no file'],
    ['there is no such package', 'no-such-package-anywhere', 'could not be loaded'],
    ['the module throws', file('broken.ts'), 'broken on purpose'],
    ['there is no default export', file('none.ts'), 'default export is missing'],
    ['the default export is no function', file('object.ts'), 'default export is of type object'],
  ])('is refused at start, by name, when %s', async (_name, name, reason) => {
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
    expect(typeof (await load('webhook', { webhookUrl, webhookSecret: 'sixteen bytes ok' })).processor).toBe(
      'function',
    );
  });
});

describe('the policy of a processor', () => {
  test('is that of the environment where its module exports none', async () => {
    expect((await load(file('good.ts'))).policy).toEqual({
      maxAttempts: 5,
      retryBaseMs: 200,
      retryMaxMs: 30_000,
      onFailure: 'skip',
      timeoutMs: 0,
    });
    const blocking = await load('echo', { failurePolicy: 'block', runTimeoutMs: 700 });
    expect(blocking.policy).toMatchObject({ onFailure: 'block', timeoutMs: 700 });
  });

  test('is what its module exports, over the environment', async () => {
    expect((await load(file('with-policy.ts'))).policy).toEqual({
      maxAttempts: 2,
      retryBaseMs: 200,
      retryMaxMs: 30_000,
      onFailure: 'block',
      timeoutMs: 1_500,
    });
  });

  test('is refused at start, with every fault by name, when it is out of range', async () => {
    const refusal = await load(file('bad-policy.ts')).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ProcessorLoadError);
    const { message } = refusal as Error;
    for (const part of ['bad-policy.ts', 'policy.maxAttempts', 'policy.onFailure', 'policy: ', 'timeoutSeconds']) {
      expect(message).toContain(part);
    }
  });

  test('is refused when its longest pause is below the shortest, wherever they come from', async () => {
    await expect(load(file('long-pause.ts'))).rejects.toThrow('retryMaxMs (30000) is below retryBaseMs (60000)');
    await expect(load(file('long-pause.ts'), { retryMaxMs: 60_000 })).resolves.toBeDefined();
  });
});
