/** What `npm start` does about the processes of an earlier start that was killed. start.test.ts has the same with real ones that have ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { afterAll, expect, test } from '@jest/globals';
import { makeFolder, writeJson } from '../../tools/services/private-server.ts';
import { processOf } from '../../tools/services/processes.ts';
import { clearUpEarlier, type StartNote } from '../../tools/start/earlier.ts';

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-earlier-'));
afterAll(() => rmSync(folder, { recursive: true }));

const startProcess = async () => {
  const child = spawn(execPath, ['-e', 'setInterval(() => {}, 1_000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const end = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { started: processOf(child.pid!), end };
};

test('a start waits for the processes of an earlier one that was killed a moment ago', async () => {
  const [starter, api] = [await startProcess(), await startProcess()];
  const note: StartNote = {
    port: 3_000,
    command: 'npm start',
    starter: starter.started,
    children: [{ name: 'api', ...api.started }],
  };
  writeJson(join(makeFolder(folder, '.data', 'start'), '3000.json'), note);
  const lines: string[] = [];
  const said = Promise.withResolvers<void>();
  const say = (_name: string, line: string) => {
    lines.push(line);
    said.resolve();
  };
  const place = { folder, command: 'npm start', say };
  expect(await clearUpEarlier(place)).toEqual([note]);
  expect(lines).toEqual([]);

  await starter.end();
  let isOver = false;
  const clearing = clearUpEarlier(place).then((running) => {
    isOver = true;
    return running;
  });
  await said.promise;
  expect(isOver).toBe(false);
  await api.end();
  expect(await clearing).toEqual([]);
  expect(lines).toEqual([
    `An earlier npm start (process ${starter.started.pid}, port 3000) ended without stopping its processes. ` +
      `Waiting for them to end: api (process ${api.started.pid}).`,
  ]);
  expect(await clearUpEarlier(place)).toEqual([]);
  expect(lines).toHaveLength(1);
});
