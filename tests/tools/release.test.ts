import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { execaNode } from 'execa';
import { parse } from 'yaml';
import { type Candidate, obstacles } from '../../tools/release/obstacles.ts';
import { steps } from '../../tools/release/steps.ts';
import { root } from '../../tools/run-tool.ts';

const changelog = (unreleased = ''): string =>
  `# Changelog\n\n## [Unreleased]\n\n${unreleased}\n\n## [1.2.3] - 2026-01-31\n\n- Something.\n\n## [1.2.2] - 2026-01-01\n\n- Else.\n`;
const good: Candidate = {
  version: '1.2.3',
  lockVersion: '1.2.3',
  chartVersion: '1.2.3',
  changelog: changelog(),
  changedFiles: [],
  tags: ['v1.2.2'],
};
const { scripts, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('a release', () => {
  test('has no obstacle when everything is committed and described', () => {
    expect(obstacles(good)).toEqual([]);
  });

  test.each<[what: string, change: Partial<Candidate>, sentence: RegExp]>([
    [
      'no entry in the change log',
      { version: '1.2.4', lockVersion: '1.2.4', chartVersion: '1.2.4' },
      /no entry "## \[1\.2\.4\] - YYYY-MM-DD"/,
    ],
    ['an entry without text', { changelog: '## [1.2.3] - 2026-01-31\n\n## [1.2.2] - 2026-01-01\n- x' }, /no entry/],
    ['an entry without a date', { changelog: '## [1.2.3]\n\n- Something.' }, /no entry/],
    ['text under Unreleased', { changelog: changelog('- More.') }, /still has text under "## \[Unreleased\]"/],
    ['another version in the lock file', { lockVersion: '1.2.2' }, /package-lock\.json has the version 1\.2\.2/],
    ['another version in the chart', { chartVersion: '1.2.2' }, /Chart\.yaml has the appVersion 1\.2\.2/],
    ['a tag that exists', { tags: ['v1.2.3'] }, /The tag v1\.2\.3 exists already/],
    ['a file that is not committed', { changedFiles: [' M lib/a.ts'] }, /1 files are not committed: {2}M lib\/a\.ts\./],
  ])('has an obstacle: %s', (_what, change, sentence) => {
    expect(obstacles({ ...good, ...change })).toEqual([expect.stringMatching(sentence)]);
  });

  test('runs scripts that exist', () => {
    const run = steps.flatMap(({ command }) => (command[1] === 'run' ? [command.at(-1)] : []));
    expect(run).toEqual(expect.arrayContaining(['lint', 'typecheck', 'package', 'sbom', 'test', 'test:slow']));
    expect(run.filter((script) => !scripts[String(script)])).toEqual([]);
  });

  test('--dry-run prints the steps, and what is in the way, and runs nothing', async () => {
    const { stdout } = await execaNode('tools/release.ts', ['--dry-run'], {
      cwd: root,
      nodePath: process.execPath,
      reject: false,
    });
    expect(stdout).toContain('Package, publint and attw: npm run --silent package');
    expect(stdout).not.toContain('is ready');
  });

  test('of this version has an entry in the change log, and the lock file and the chart have the same version', () => {
    const found = obstacles({
      ...{ version, changedFiles: [], tags: [] },
      lockVersion: JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).version,
      chartVersion: parse(readFileSync(join(root, 'deploy', 'kubernetes', 'chart', 'Chart.yaml'), 'utf8')).appVersion,
      changelog: readFileSync(join(root, 'CHANGELOG.md'), 'utf8'),
    });
    expect(found.filter((obstacle) => !obstacle.includes('Unreleased'))).toEqual([]);
  });
});
