import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from '../judge/history.ts';
import { createRoster, logMessages } from './roster.ts';

const lost = (queue: string, code = 404) => ({
  msg: `${logMessages.laneLost}: its channel was closed`,
  pid: 7,
  err: {
    code,
    message: `Channel closed by server: ${code} (NOT-FOUND) with message "NOT_FOUND - no queue '${queue}'"`,
  },
});

const openRoster = (now = 1_000) => {
  const recorded: HistoryEvent[] = [];
  const deletedAt = new Map([['user.ada', 900]]);
  const roster = createRoster({ name: 'c', record: (event) => void recorded.push(event), deletedAt, now: () => now });
  return { ...roster, recorded };
};

describe('the roster of a container', () => {
  test('knows which workers are alive and which ones the primary kills', () => {
    const { onLine, pids, hung, recorded } = openRoster();
    onLine({ msg: logMessages.workerStarted, workerPid: 7 });
    onLine({ msg: logMessages.workerStarted, workerPid: 8 });
    onLine({ msg: logMessages.killingWorker, workerPid: 8, verdict: 'hung' });
    onLine({ msg: logMessages.workerEnded, workerPid: 8 });
    expect(pids()).toEqual([7]);
    expect(hung()).toBe(1);
    expect(recorded).toEqual([{ kind: 'fault', fault: 'worker-hung', target: 'c/8', at: 1_000 }]);
  });

  test('records a cut when a lane is lost because a fault has just deleted a user queue', () => {
    const { onLine, recorded } = openRoster();
    onLine(lost('user.ada'));
    expect(recorded).toEqual([{ kind: 'fault', fault: 'connection-cut', target: 'c/7', at: 900, until: 1_000 }]);
  });

  test('records no cut when another queue was deleted, when it was long ago, or when the lane was lost for another reason', () => {
    const late = openRoster(900 + 10_001);
    late.onLine(lost('user.ada'));
    expect(late.recorded).toEqual([]);
    const { onLine, recorded } = openRoster();
    onLine(lost('user.ben'));
    onLine(lost('user.ada', 406));
    onLine({ ...lost('user.ada'), msg: 'a channel was closed' });
    expect(recorded).toEqual([]);
  });

  const { workerRunning: _template, ...literals } = logMessages;
  test.each(Object.values(literals))('reads a log line that lib writes: %s', (message) => {
    const lib = join(import.meta.dirname, '..', '..', 'lib');
    const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.some((name) => readFileSync(join(lib, name), 'utf8').includes(message))).toBe(true);
  });
});
