/** What the package of the client costs a page, and whether its types are those of the API. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import type { ApiProblem } from '../../client/index.ts';
import { root } from '../../tools/run-tool.ts';

const mostBytes = 8_192;

/** As a page loads it: with everything that it imports. */
const bundledBytes = async (entry: string): Promise<number> => {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    ...{ bundle: true, minify: true, write: false, format: 'esm', platform: 'browser', target: 'es2022' },
    external: ['react'],
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
};

test('the client has at most 8 KB with all that it imports, and nothing of Node', async () => {
  const bytes = await bundledBytes('client/index.ts');
  expect(bytes).toBeLessThanOrEqual(mostBytes);
  // The hooks bring nothing along but React.
  expect(await bundledBytes('client/react/index.ts')).toBeLessThanOrEqual(1_024);
});

test('client/api.ts is what `npm run openapi` writes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-types-'));
  try {
    const file = join(folder, 'api.ts');
    await promisify(execFile)(execPath, ['--no-warnings', 'tools/client-types.ts', file], { cwd: root });
    expect(readFileSync(file, 'utf8') === readFileSync(join(root, 'client', 'api.ts'), 'utf8')).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('problems are told apart by their codes', () => {
  const adviceOf = (problem: ApiProblem): string => {
    switch (problem.code) {
      case 'too-many-pending':
        return `${problem.status satisfies 429}: wait`;
      case 'username-taken':
        return `${problem.status satisfies 409}: choose another`;
      default:
        return problem.title;
    }
  };
  expect(adviceOf({ code: 'too-many-pending', status: 429, title: 'Too Many Requests' })).toBe('429: wait');
  // @ts-expect-error There is no such code.
  expect(adviceOf({ code: 'no-such-code', status: 400, title: 'x' })).toBe('x');
  // @ts-expect-error Its status is 409.
  expect(adviceOf({ code: 'username-taken', status: 429, title: 'x' })).toBe('429: choose another');
});
