import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { HistoryEvent } from '../judge/history.ts';
import { readHistory, recorder } from './recorder.ts';

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-recorder-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a line that is incomplete because its process was killed does not damage other lines', () => {
  const file = join(folder, 'history.jsonl');
  writeFileSync(file, '');
  const record = recorder({ HISTORY_FILE: file });
  const [first, second]: HistoryEvent[] = [
    { kind: 'accepted', userId: 'ada', seq: 1, at: 1 },
    { kind: 'fault', fault: 'worker-killed', at: 2 },
  ];
  record(first!);
  appendFileSync(file, '\n{"kind":"ended","userId":"ada","se');
  record(second!);
  expect(readHistory(file)).toEqual([first, second]);
});
