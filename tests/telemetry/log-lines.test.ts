/** Lines about a request name the user, the request and the trace. */
import { expect, test } from '@jest/globals';
import { systemClock as clock } from '../../lib/clock.ts';
import { createWorkerMetrics } from '../../lib/consumer/metrics.ts';
import { httpFunction } from '../../lib/http/http-function.ts';
import { createRunRequest } from '../../lib/runs/run.ts';
import { eventFixture } from '../http/drivers.ts';
import { testPolicy } from '../runs/support/policy.ts';
import { readableLog } from '../support/log-lines.ts';

const trace = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
const about = { userId: 'u1', seq: 7, trace: 'a'.repeat(32) };

test('lines of a worker about a run and its outcome', () => {
  const { lines, log } = readableLog('debug');
  const { observer } = createWorkerMetrics({ clock, log, snapshot: () => undefined });
  const run = { userId: 'u1', user: 'ada', seq: 7, attempt: 1, fencingToken: 2, trace };
  const at = new Date();
  observer.runStarted({ ...run, acceptedAt: at, at });
  observer.runEnded({ ...run, outcome: 'failed', error: 'TypeError', at });
  const { user: _user, attempt: _attempt, ...settled } = run;
  observer.settled({ ...settled, status: 'failed', acceptedAt: at, at });
  observer.deadLettered({ ...settled, status: 'failed', reason: 'failed', at });
  expect(lines.map(({ msg }) => msg)).toEqual(['run started', 'run ended', 'request settled', 'request dead-lettered']);
  for (const line of lines) expect(line).toMatchObject(about);
});

test('lines of a processor, and of its failure', async () => {
  const { lines, log } = readableLog('debug');
  const processor = (_request: unknown, { logger }: { logger: { info(text: string): void } }) => {
    logger.info('working');
    throw new Error('no');
  };
  const runRequest = createRunRequest({ processor, policy: testPolicy }, { clock, log });
  const { signal } = new AbortController();
  const plain = { limits: {}, forgiven: 0, interruptions: 0, fencingToken: 2, attempt: 1, body: '1', signal };
  await runRequest({ ...plain, userId: 'u1', user: 'ada', seq: 7, trace });
  expect(lines.map(({ msg }) => msg)).toEqual(['working', 'run failed']);
  for (const line of lines) expect(line).toMatchObject(about);
  await runRequest({ ...plain, userId: 'u1', user: 'ada', seq: 8 });
  expect(lines[2]).not.toHaveProperty('trace');
});

test('the line of a call', async () => {
  const { lines, log } = readableLog();
  const deps = { log, config: {}, clock } as unknown as Awaited<ReturnType<Parameters<typeof httpFunction>[0]>>;
  const handler = httpFunction(async () => deps).handler(async () => ({ statusCode: 204 }));
  const event = eventFixture({ call: 'GET /requests/7', headers: trace }, 'GET /requests/{seq}', { seq: '7' });
  await handler(event as never, {} as never);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ msg: 'http', path: '/requests/7', seq: 7, trace: about.trace });
});
