import { expect, test } from '@jest/globals';
import { forPeople } from '../../tools/start/lines.ts';

const usual = { verbose: false, withCalls: true };
const entry = (level: number, fields: object): string => JSON.stringify({ level, time: 'now', pid: 1, ...fields });
const call = entry(30, { method: 'POST', path: '/enqueue', status: 202, ms: 14, userId: 'a', msg: 'http' });

test('a call is one line: method, path, status, ms, and the code of an error', () => {
  expect(forPeople(call, 'api', usual)).toBe('POST /enqueue 202 14 ms');
  const refused = entry(30, { method: 'GET', path: '/queue', status: 401, ms: 2, code: 'expired-token', msg: 'http' });
  expect(forPeople(refused, 'api', usual)).toBe('GET /queue 401 2 ms expired-token');
  const unknown = entry(30, { method: 'GET', status: 404, ms: 1, code: 'not-found', msg: 'http' });
  expect(forPeople(unknown, 'api', usual)).toBe('GET (no such route) 404 1 ms not-found');
});

test('the calls that only ask whether the API is ready are not shown', () => {
  expect(forPeople(call, 'api', { verbose: false, withCalls: false })).toBeUndefined();
});

test.each([
  ['WARN', 40],
  ['ERROR', 50],
  ['FATAL', 60],
])('%s is shown with its text and its fields in one line, an error by its message', (label, level) => {
  const line = entry(level, { lane: 3, err: { message: 'gone', stack: 'long' }, msg: 'lane lost' });
  for (const name of ['api', 'consumer'])
    expect(forPeople(line, name, usual)).toBe(`${label}: lane lost {"lane":3,"err":"gone"}`);
});

test('what happens in normal operation is shown only when asked for, the end of an outage always', () => {
  const owned = entry(30, { lanes: 3, msg: 'lanes owned' });
  expect(forPeople(owned, 'consumer', usual)).toBeUndefined();
  expect(forPeople(owned, 'consumer', { ...usual, verbose: true })).toBe('INFO: lanes owned {"lanes":3}');
  const back = entry(30, { seconds: 7, msg: 'RabbitMQ answers again' });
  expect(forPeople(back, 'consumer', usual)).toBe('INFO: RabbitMQ answers again {"seconds":7}');
});

test.each(['Server ready', '{"level":"odd"}', '{ broken', '[1]', 'null'])(
  '%s is no log entry: shown as it is when a processor prints it, not when serverless does',
  (line) => {
    expect(forPeople(line, 'consumer', usual)).toBe(line);
    expect(forPeople(line, 'api', usual)).toBeUndefined();
    expect(forPeople(line, 'api', { ...usual, verbose: true })).toBe(line);
  },
);

test('an error shows where it comes from: the frames of its innermost cause outside of Node and of packages', () => {
  const stack = [
    'Error: inner',
    '    at charge (file:///app/processor.ts:7:9)',
    '    at wrap (file:///app/node_modules/lanekeeper/lib/run.js:1:1)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)',
  ].join('\n');
  const err = {
    message: 'outer',
    stack: 'Error: outer\n    at x (file:///app/other.ts:1:1)',
    cause: { message: 'inner', stack },
  };
  const line = entry(50, { err, msg: 'it failed: outer' });
  expect(forPeople(line, 'consumer', usual)).toBe(
    'ERROR: it failed: outer\n    at charge (file:///app/processor.ts:7:9)',
  );
});

test('a syntax error shows the line of code', () => {
  const stack =
    'file:///app/processor.ts:2\nexport default (\n               ^\nSyntaxError: Unexpected end\n    at node:internal/x:1:1';
  const err = { message: 'not loaded', cause: { message: 'Unexpected end', stack } };
  expect(forPeople(entry(60, { err, msg: 'not loaded' }), 'consumer', usual)).toBe(
    'FATAL: not loaded\nfile:///app/processor.ts:2\nexport default (\n               ^',
  );
});

test('a reload is told in words, and a failed one too', () => {
  const done = entry(30, { msg: 'reload done: new workers have taken over', generation: 1, ms: 740 });
  expect(forPeople(done, 'consumer', usual)).toBe('reloaded in 0.7 s');
  const failed = entry(50, { msg: 'reload failed: the workers with the earlier code go on', generation: 1, ms: 740 });
  expect(forPeople(failed, 'consumer', usual)).toBe('not reloaded: the workers with the earlier code go on');
});
