/** One trace from the HTTP call to the run, as a collector sees it. On real servers. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { closeFunctionDeps } from '../../lib/compose/functions.ts';
import { createLanekeeper, type Lanekeeper, type ProcessorContext } from '../../lib/index.ts';
import { type Driver, gatewayDriver } from '../http/drivers.ts';
import { cleanUp, environmentOf, type TestOptions, testOptions } from '../library/open.ts';
import { tokenSecret, uniqueName } from '../support/servers.ts';
import { type CollectedSpan, type Collector, openCollector } from './support/collector.ts';

jest.setTimeout(120_000);

const kinds = { internal: 1, server: 2, consumer: 5 };
const failed = 2;

let collector: Collector;
let options: TestOptions;
let lk: Lanekeeper;
let driver: Driver;
let token: string;
/** By `seq`: what each attempt was told of its trace. */
const told = new Map<number, ProcessorContext['trace'][]>();

beforeAll(async () => {
  collector = await openCollector();
  options = testOptions({ otlpEndpoint: `${collector.url}/`, storeTimeoutMs: 30_000 });
  const functions = {
    ...environmentOf(options),
    LANES: String(options.lanes),
    JWT_SECRET: tokenSecret,
    BCRYPT_COST: '4',
    LOG_LEVEL: 'silent',
    STORE_TIMEOUT_MS: '30000',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  };
  Object.assign(process.env, functions);
  driver = await gatewayDriver();
  lk = await createLanekeeper(options);
  await lk.consume((_request, { seq, attempt, trace }) => {
    told.set(seq, [...(told.get(seq) ?? []), trace]);
    if (seq === 1 && attempt === 1) throw new TypeError('the first attempt fails');
  });
  const who = { username: uniqueName('user'), password: 'correct horse' };
  await driver.call({ call: 'POST /register', body: who });
  token = String((await driver.call({ call: 'POST /login', body: who })).body.token);

  const headers = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
  await driver.call({ call: 'POST /enqueue', body: { request: 1 }, token, headers });
  await driver.call({ call: 'POST /enqueue', body: { requests: [{ request: 2 }, { request: 3 }] }, token });
  const unsampled = { traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00` };
  await driver.call({ call: 'POST /enqueue', body: { request: 4 }, token, headers: unsampled });
  await driver.call({ call: 'GET /requests/4?wait=20', token });
  await driver.call({ call: 'GET /requests/99', token });
  // They export what is left.
  await driver.close();
  await closeFunctionDeps();
  await lk.close();
});

afterAll(async () => {
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
  delete process.env.STORE_TIMEOUT_MS;
  await cleanUp(options);
  await collector?.[Symbol.asyncDispose]();
});

const spansOf = (traceId: string): CollectedSpan[] => collector.spans.filter((span) => span.traceId === traceId);
const named = (name: string): CollectedSpan[] => collector.spans.filter((span) => span.name === name);
const runOf = (seq: number, attempt: number): CollectedSpan =>
  named('lanekeeper run').find(
    ({ attributes }) => attributes['lanekeeper.seq'] === seq && attributes['lanekeeper.attempt'] === attempt,
  )!;

test('the call continues the trace of its caller, and the accept and the first run are parts of it', () => {
  const [call, accept, run] = ['POST /enqueue', 'lanekeeper accept', 'lanekeeper run'].map((name) =>
    spansOf('a'.repeat(32)).find((span) => span.name === name),
  ) as [CollectedSpan, CollectedSpan, CollectedSpan];
  expect(spansOf('a'.repeat(32))).toHaveLength(3);
  expect(call).toMatchObject({ kind: kinds.server, parentSpanId: 'b'.repeat(16), service: 'lanekeeper-functions' });
  expect(call.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.route': 'POST /enqueue',
    'http.response.status_code': 202,
    'lanekeeper.seq': 1,
  });
  expect(accept).toMatchObject({ kind: kinds.internal, parentSpanId: call.spanId });
  expect(accept.attributes).toMatchObject({ 'lanekeeper.requests': 1, 'lanekeeper.seq': 1 });
  expect(accept.events.map(({ name }) => name)).toEqual(['ticket taken', 'recorded', expect.any(String)]);
  expect(run).toMatchObject({ kind: kinds.consumer, parentSpanId: accept.spanId, service: 'lanekeeper-consumer' });
  expect(run.attributes).toMatchObject({
    'lanekeeper.user_id': accept.attributes['lanekeeper.user_id'],
    'lanekeeper.outcome': 'retry',
    'error.type': 'TypeError',
  });
  expect(run.status).toEqual({ code: failed, message: 'retry' });
});

test('a retry is a trace of its own, linked to the accept', () => {
  const second = runOf(1, 2);
  const accept = spansOf('a'.repeat(32)).find(({ name }) => name === 'lanekeeper accept')!;
  expect(second.parentSpanId).toBeUndefined();
  expect(second.traceId).not.toBe('a'.repeat(32));
  expect(second.links).toEqual([{ traceId: accept.traceId, spanId: accept.spanId }]);
  expect(second.attributes['lanekeeper.outcome']).toBe('done');
  expect(spansOf(second.traceId)).toHaveLength(1);
});

test('the processor is told the span of its run', () => {
  const parts = (seq: number, attempt: number) => told.get(seq)?.[attempt - 1]?.traceparent.split('-');
  for (const attempt of [1, 2]) {
    const { traceId, spanId } = runOf(1, attempt);
    expect(parts(1, attempt)).toEqual(['00', traceId, spanId, expect.stringMatching(/^0[13]$/)]);
  }
});

test('requests of one call are parts of one trace, which begins with the call when the caller has none', () => {
  const [second, third] = [runOf(2, 1), runOf(3, 1)];
  expect(third.traceId).toBe(second.traceId);
  const [root, ...others] = spansOf(second.traceId).filter(({ parentSpanId }) => !parentSpanId);
  expect(others).toEqual([]);
  expect(root).toMatchObject({ name: 'POST /enqueue', attributes: { 'http.response.status_code': 202 } });
});

test('what its caller does not sample is not exported, and its trace is carried all the same', () => {
  expect(spansOf('c'.repeat(32))).toEqual([]);
  expect(runOf(4, 1)).toBeUndefined();
  expect(told.get(4)).toEqual([{ traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00` }]);
});

test('the span of a refused call has its code; no span fails for what the caller did wrong', () => {
  const refused = collector.spans.find(({ attributes }) => attributes['http.response.status_code'] === 404)!;
  expect(refused.attributes).toMatchObject({ 'error.type': 'request-not-found', 'lanekeeper.seq': 99 });
  expect(refused.status.code ?? 0).toBe(0);
});
