/** docs/security.md against the code: the settings of the bounds, their codes, and the production dependencies. */
import { describe, expect, test } from '@jest/globals';
import { environment } from '../../lib/config.ts';
import { codesIn, read, rowsOf, section, sorted } from './support/markdown.ts';

const page = read('docs/security.md');

describe('the security page', () => {
  const bounds = section(page, '## Bounds')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (Resource|---)/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

  test('names settings that exist, or says that a bound is fixed', () => {
    for (const [, resource, setting = ''] of bounds) {
      const names = codesIn(setting);
      const isKnown = names.length > 0 ? names.every((name) => name in environment) : setting === 'fixed';
      expect({ resource, setting, isKnown }).toMatchObject({ isKnown: true });
    }
    expect(bounds.length).toBeGreaterThan(30);
  });

  test('names every setting that bounds what somebody may cost', () => {
    const limits = Object.keys(environment).filter((name) => /^(MAX_|HELD_)|_PER_(MINUTE|HOUR)$/.test(name));
    // Rules about repeats of failed runs, not about callers.
    const others = ['MAX_ATTEMPTS'];
    const named = bounds.flatMap(([, , setting = '']) => codesIn(setting));
    expect(sorted(limits.filter((name) => !named.includes(name)))).toEqual(others);
  });

  test('gives the defaults of the numbers', () => {
    const inWords = (value: number) => [value.toLocaleString('en'), `${value / 2 ** 20} MiB`, `${value / 1_000} s`];
    const numbers = bounds.flatMap(([, , setting = '', byDefault = '']) =>
      codesIn(setting).flatMap((name) => {
        const value = environment[name as keyof typeof environment].parse(undefined);
        return typeof value === 'number' && /\d/.test(byDefault) ? [{ name, value, byDefault }] : [];
      }),
    );
    const special = new Map([
      ['MAX_RUN_TIMEOUT_MS', '15 minutes'],
      ['LOGIN_MAX_DELAY_SECONDS', '60 s'],
    ]);
    for (const { name, value, byDefault } of numbers) {
      const expected = [...inWords(value), special.get(name)];
      expect({ name, byDefault, fits: expected.some((text) => text && byDefault.startsWith(text)) }).toMatchObject({
        fits: true,
      });
    }
    expect(numbers.length).toBeGreaterThan(15);
  });

  test('shows only error codes that the HTTP API documents', () => {
    const documented = codesIn(section(read('docs/http-api.md'), '## Errors'));
    const shown = bounds
      .flatMap(([, , , , sees = '']) => codesIn(sees))
      .filter((code) => /^[a-z]+-[a-z-]+$|^busy$/.test(code));
    expect(shown.filter((code) => !documented.includes(code))).toEqual([]);
    expect(shown.length).toBeGreaterThan(10);
  });

  test('gives a reason for each production dependency, and for no other package', () => {
    const reasons = rowsOf(section(page, '## Production dependencies'));
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect(sorted(reasons.map(([name]) => name))).toEqual(sorted(Object.keys(dependencies)));
    for (const [name, [, , why]] of reasons)
      expect({ name, why }).toMatchObject({ why: expect.stringMatching(/\w{3}/) });
  });
});
