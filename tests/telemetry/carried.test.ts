/** A trace is carried from the call to its runs without a package of OpenTelemetry. On real servers. */
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import type { ProcessorContext } from '../../lib/index.ts';
import { acceptRequest } from '../../lib/requests/accept.ts';
import { traceIdOf } from '../../lib/traceparent.ts';
import { busyUser, deliver } from '../lanes/deliver.ts';
import { heldRuns } from '../lanes/runs.ts';
import { openLibrary } from '../library/open.ts';
import { isolate } from '../runs/support/isolate.ts';
import { openWorld, recordPublished } from '../support/world.ts';

jest.setTimeout(60_000);

const traceOf = (digit: string) => `00-${digit.repeat(32)}-${digit.repeat(16)}-01`;

/** What each run was told of its trace, with its attempt. */
const recorded = () => {
  const seen: (Pick<ProcessorContext, 'seq' | 'attempt'> & { trace: ProcessorContext['trace'] })[] = [];
  const note = ({ seq, attempt, trace }: ProcessorContext) => seen.push({ seq, attempt, trace });
  return { seen, note };
};

test('the first run continues the trace of its call; each further run is a new trace that is linked to it', async () => {
  await using library = await openLibrary();
  const { lk } = library;
  const { seen, note } = recorded();
  await lk.consume((_request, context) => {
    note(context);
    if (context.attempt < 3) throw new Error('again');
  });
  const { seq } = await lk.enqueue('ada', 1, { traceparent: traceOf('a') });
  await lk.result('ada', seq);
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(seen[0]!.trace).toEqual({ traceparent: traceOf('a') });
  for (const { trace } of seen.slice(1)) expect(trace).toMatchObject({ linkedTo: traceOf('a') });
  expect(new Set(seen.map(({ trace }) => traceIdOf(trace?.traceparent))).size).toBe(3);
});

test('a retry of a dead letter is a new trace', async () => {
  await using library = await openLibrary();
  const { lk } = library;
  const { seen, note } = recorded();
  await lk.consume((_request, context) => {
    note(context);
    if (seen.length === 1) throw Object.assign(new Error('no'), { name: 'UnrecoverableError' });
  });
  const { seq } = await lk.enqueue('ada', 1, { traceparent: traceOf('b') });
  await lk.result('ada', seq);
  const again = await lk.retry('ada', seq);
  await lk.result('ada', again.seq);
  expect(seen).toHaveLength(2);
  expect(traceIdOf(seen[1]!.trace?.traceparent)).toMatch(/^[0-9a-f]{32}$/);
  expect(traceIdOf(seen[1]!.trace?.traceparent)).not.toBe(traceIdOf(traceOf('b')));
});

test('requests of one call may belong to different traces, and what is no traceparent is ignored', async () => {
  await using library = await openLibrary();
  const { lk } = library;
  const { seen, note } = recorded();
  await lk.consume((_request, context) => note(context));
  await lk.enqueueAll('ada', [
    { request: 1, traceparent: traceOf('c') },
    { request: 2, traceparent: 'whatever a client sent' },
    { request: 3 },
  ]);
  await lk.result('ada', 3);
  expect(seen.map(({ trace }) => trace)).toEqual([{ traceparent: traceOf('c') }, undefined, undefined]);
});

test('an isolated process gets the trace too', async () => {
  const { run } = isolate({}, {}, { PROCESSOR: fileURLToPath(new URL('support/trace.mjs', import.meta.url)) });
  const trace = { traceparent: traceOf('a'), linkedTo: traceOf('d') };
  expect(await run(1, { trace })).toEqual({ kind: 'done', result: JSON.stringify(trace) });
});

test.each([
  ['another trace', { traceparent: traceOf('f') }],
  ['no trace', {}],
  ['a header that is no traceparent', { traceparent: 'forged' }],
])('a message with %s does not change the trace of its run: that is what the ledger says', async (_what, headers) => {
  await using world = await openWorld();
  const { runRequest, running, of } = heldRuns();
  world.work(runRequest);
  const user = await busyUser(world, running);
  const { publisher } = recordPublished(world);
  await acceptRequest({ ...user, body: '1', traceparent: traceOf('e') }, { ...world.deps, publisher });
  const { seq, body, bytesThrough, acceptedAt } = (await world.entry(user, 2))!;
  const content = { seq, body, bytesThrough, acceptedAt: acceptedAt.getTime() };

  await deliver(world, user, content, headers);

  of(user)[0]!.end();
  const second = await running(user, 2);
  expect(second.trace).toEqual({ traceparent: traceOf('e') });
  second.end();
  expect(await world.settled(user, 2)).toMatchObject({ status: 'done', attempts: 1, traceparent: traceOf('e') });
});

test('what an older version has accepted runs without a trace, also from its message', async () => {
  await using world = await openWorld();
  const { runRequest, running, of } = heldRuns();
  world.work(runRequest);
  const user = await busyUser(world, running);
  await world.enqueue(user, 'without');
  of(user)[0]!.end();
  const second = await running(user, 2);
  expect(second.trace).toBeUndefined();
  expect(await world.entry(user, 2)).not.toHaveProperty('traceparent');
  second.end();
});
