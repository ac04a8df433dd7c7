/** The workflows as GitHub would read them: syntax, types of expressions, inputs of actions, shell scripts. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { filesUnder, root } from '../docs/support/markdown.ts';
import { goProgram, whyNoGoProgram } from '../support/go-program.ts';

const source = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';
const reason = whyNoGoProgram('actionlint', source);

(reason ? describe.skip : describe)(`actionlint${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let actionlint: string;
  beforeAll(async () => {
    actionlint = await goProgram('actionlint', source);
  }, 500_000);

  const lint = async (file: string): Promise<string> =>
    (await execa(actionlint, ['-no-color', file], { cwd: root, reject: false })).stdout;

  test.each(filesUnder('.github/workflows', '.yml'))('finds nothing in %s', async (file) => {
    expect(await lint(file)).toBe('');
  });

  test.each<[what: string, from: string, to: string, found: RegExp]>([
    ['an unknown key', 'timeout-minutes: 90', 'timeout: 90', /unexpected key "timeout"/],
    ['an input that nobody declares', 'inputs.chaos-minutes', 'inputs.minutes', /property "minutes" is not defined/],
    ['an unknown runner', 'runs-on: ubuntu-24.04', 'runs-on: ubuntu-24', /label "ubuntu-24" is unknown/],
  ])('finds %s', async (_what, from, to, found) => {
    const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-workflow-'));
    try {
      const file = join(folder, 'test.yml');
      writeFileSync(file, readFileSync(join(root, '.github/workflows/test.yml'), 'utf8').replace(from, to));
      expect(await lint(file)).toMatch(found);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
