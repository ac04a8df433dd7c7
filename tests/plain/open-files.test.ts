import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { connectionsWithin, filesOfApi, filesOfWorker, openFilesLimit, warnOfFewFiles } from '../../lib/open-files.ts';
import { readableLog, warn } from '../support/log-lines.ts';

test('the limit is the one that the shell set', async () => {
  const module = new URL('../../lib/open-files.ts', import.meta.url).href;
  const script = `import('${module}').then((found) => console.log(found.openFilesLimit()))`;
  const args = ['-c', 'ulimit -n 300 && exec "$0" -e "$1"', process.execPath, script];
  expect(Number((await promisify(execFile)('bash', args)).stdout)).toBe(300);
  expect(openFilesLimit()).toBeGreaterThan(0);
});

test('a limit that is too low is logged with both numbers and what to do, and one that suffices is not', () => {
  const { log, lines } = readableLog();
  const needed = filesOfApi({ maxConnections: 2_000 });
  expect(needed).toBeGreaterThan(2_000);
  expect(filesOfWorker({ concurrency: 500, isolatedProcesses: 4 })).toBeGreaterThan(500);
  warnOfFewFiles(log, needed, 'MAX_CONNECTIONS (2000) and the servers', needed);
  expect(lines).toEqual([]);
  warnOfFewFiles(log, needed, 'MAX_CONNECTIONS (2000) and the servers', 1_024);
  expect(lines).toMatchObject([{ level: warn, limit: 1_024, needed }]);
  expect(lines[0]?.msg).toMatch(/^1024 open files .* MAX_CONNECTIONS \(2000\).*ulimit -n to 2170/);
});

test('the API serves no more connections than the limit leaves room for', () => {
  expect(connectionsWithin(10_000, 1_024)).toBe(1_024 - filesOfApi({ maxConnections: 0 }));
  expect(connectionsWithin(10_000, 120)).toBe(15);
  expect(connectionsWithin(10_000, 4)).toBe(1);
  expect(connectionsWithin(10_000, 65_536)).toBe(10_000);
  expect(connectionsWithin(10_000, undefined)).toBeGreaterThan(0);
});
