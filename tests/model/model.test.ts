import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Bound, check, ensureSpin } from './check.ts';
import { brokenParts, brokenRules, small } from './configurations.ts';

const bound: Bound = { optimize: '-O1', hashBits: 22, memoryMiB: 1_000, timeoutMs: 60_000 };
const quick: Bound = { ...bound, optimize: '-O0', hashBits: 18 };

beforeAll(ensureSpin, 310_000);

describe('The lane protocol', () => {
  test.each(small)(
    'holds for $title',
    async (configuration) => {
      expect(await check(configuration, bound)).toMatchObject({ outcome: 'holds', steps: [] });
    },
    bound.timeoutMs * 2,
  );

  test.each([...brokenRules, ...brokenParts])(
    'needs $rule; without it, $title',
    async ({ rule, title, defines, fails }) => {
      const broken = await check({ title, defines: [...defines, `BREAK_${rule}`] }, quick);
      expect(broken).toMatchObject({ outcome: 'violated', assertion: expect.stringMatching(fails) });
    },
    bound.timeoutMs * 2,
  );
});
