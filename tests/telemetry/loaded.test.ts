/** The packages of OpenTelemetry are loaded only where traces are exported. */
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { mongodbUrl, rabbitmqUrl, tokenSecret, uniqueName } from '../support/servers.ts';
import { openCollector } from './support/collector.ts';

jest.setTimeout(120_000);

const script = fileURLToPath(new URL('support/loaded.ts', import.meta.url));

const load = async (env: Record<string, string>, ...args: string[]) => {
  const name = uniqueName('loaded');
  const own = {
    MONGODB_URL: mongodbUrl(name),
    RABBITMQ_URL: rabbitmqUrl(),
    QUEUE_PREFIX: `${name}.`,
    JWT_SECRET: tokenSecret,
    LOG_LEVEL: 'silent',
    STORE_TIMEOUT_MS: '30000',
  };
  const { stdout } = await execa(process.execPath, ['--no-warnings', script, ...args], { env: { ...own, ...env } });
  return JSON.parse(stdout);
};

const carried = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };

test('none is loaded without OTEL_EXPORTER_OTLP_ENDPOINT, and a trace is carried all the same', async () => {
  expect(await load({})).toEqual({ loaded: 0, trace: carried });
});

test('they are loaded with it, and the run gets a span of the same trace', async () => {
  await using collector = await openCollector();
  const { loaded, trace } = await load({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  expect(loaded).toBeGreaterThan(0);
  const run = collector.spans.find(({ name }) => name === 'lanekeeper run')!;
  expect(trace.traceparent).toContain(`${'a'.repeat(32)}-${run.spanId}`);
});

test('a function that is frozen between calls exports the spans of a call before its answer', async () => {
  await using collector = await openCollector();
  await load({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, AWS_LAMBDA_FUNCTION_NAME: 'enqueue' }, 'call');
  expect(collector.spans.map(({ name }) => name)).toEqual(['GET /livez']);
});

test('a collector that is away holds nothing up', async () => {
  expect(await load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })).toMatchObject({
    trace: { traceparent: expect.stringContaining('a'.repeat(32)) },
  });
});

test('where they are not installed the start says so, and what to install', async () => {
  const { error } = await load({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }, 'missing');
  expect(error).toEqual([
    expect.stringMatching(/OTEL_EXPORTER_OTLP_ENDPOINT is set, but .* not installed: npm install @opentelemetry\/api /),
  ]);
});
