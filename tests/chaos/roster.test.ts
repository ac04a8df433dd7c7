import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { HistoryEvent } from '../judge/history.ts';
import { createRoster, logMessages } from './roster.ts';

const openRoster = () => {
  const recorded: HistoryEvent[] = [];
  const roster = createRoster({ name: 'c', record: (event) => void recorded.push(event), now: () => 1_000 });
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

  const { workerRunning: _template, ...literals } = logMessages;
  test.each(Object.values(literals))('reads a log line that lib writes: %s', (message) => {
    const lib = join(import.meta.dirname, '..', '..', 'lib');
    const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.some((name) => readFileSync(join(lib, name), 'utf8').includes(message))).toBe(true);
  });
});
