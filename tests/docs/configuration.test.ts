/** docs/configuration.md against the code, both ways: names, ranges, defaults and readers of the environment variables. */
import { availableParallelism } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { environment } from '../../lib/config.ts';
import { codesIn, filesUnder, read, rowsOf, section, sorted } from './support/markdown.ts';

const page = read('docs/configuration.md');

type Setting = { meaning: string; range: string; default: string; readBy: string };
const settings = new Map(
  ['## Both roles', '## Functions', '## Consumer'].flatMap((heading) =>
    rowsOf(section(page, heading)).map(([name, [, , meaning = '', range = '', byDefault = '', readBy = '']]) => {
      const setting: Setting = { meaning, range, default: byDefault, readBy };
      return [name, setting] as const;
    }),
  ),
);
const toolSettings = rowsOf(section(page, '## Tools')).map(([name]) => name);

/** What describes a deployment on AWS. */
const deployed = ['serverless.yml', ...filesUnder('infra', '.yml')];

const schemaOf = (name: string) => environment[name as keyof typeof environment];

/** A default as the table writes it. */
const written = (name: string): string => {
  const value = schemaOf(name).parse(undefined);
  if (name === 'WORKERS' && value === availableParallelism()) return 'CPU cores';
  if (name === 'HASH_THREADS' && value === Math.max(1, availableParallelism() - 1))
    return 'CPU cores less one, at least 1';
  if (value === undefined) return 'none';
  return value === '' ? 'empty' : `\`${value}\``;
};

describe('the configuration tables', () => {
  test('name every environment variable that the configuration knows, and no other', () => {
    expect(sorted(settings.keys())).toEqual(sorted(Object.keys(environment)));
  });

  test('give the meaning of each', () => {
    expect([...settings].filter(([, { meaning }]) => meaning === '').map(([name]) => name)).toEqual([]);
  });

  test('give the default of each', () => {
    const given = Object.fromEntries([...settings].map(([name, setting]) => [name, setting.default]));
    expect(given).toEqual(Object.fromEntries(Object.keys(environment).map((name) => [name, written(name)])));
  });

  const ranges = [...settings].flatMap(([name, { range }]) => {
    const bounds = /^(\d+) to (\d+)$/.exec(range);
    return bounds ? [{ name, min: Number(bounds[1]), max: Number(bounds[2]) }] : [];
  });

  test('give the range of each number', () => {
    const wrong = ranges.filter(({ name, min, max }) => {
      const takes = (value: number) => schemaOf(name).safeParse(String(value)).success;
      return takes(min - 1) || !takes(min) || !takes(max) || takes(max + 1);
    });
    expect(wrong).toEqual([]);
  });

  test('give a range of numbers for every number, and every value of a choice', () => {
    const numbers = Object.keys(environment).filter((name) => typeof schemaOf(name).parse(undefined) === 'number');
    expect(sorted(ranges.map(({ name }) => name))).toEqual(sorted(numbers));
    for (const name of ['LOG_LEVEL', 'LANE_QUEUE_TYPE', 'FAILURE_POLICY', 'INTERRUPTION_POLICY'] as const) {
      expect(codesIn(settings.get(name)?.range ?? '')).toEqual(environment[name].unwrap().options);
    }
  });

  test('say who reads each: what infra/environment.yml gives to functions is read by them', () => {
    for (const { readBy } of settings.values()) expect(['both', 'functions', 'consumer']).toContain(readBy);
    const given = Object.keys(parse(read('infra/environment.yml')).functions);
    for (const name of given) expect(['both', 'functions']).toContain(settings.get(name)?.readBy);
  });

  test('name everything that serverless.yml, infra/ and docker-compose.yml take from outside', () => {
    const outside = [
      ...[
        ...deployed
          .map(read)
          .join()
          .matchAll(/\$\{env:([A-Z_]+)/g),
      ],
      ...[...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)\b/g)],
    ].map(([, name]) => name);
    const documented = [...settings.keys(), ...toolSettings];
    expect(outside.length).toBeGreaterThan(20);
    expect(outside.filter((name) => !documented.includes(name ?? ''))).toEqual([]);
  });

  test('name for the tools only what a tool reads', () => {
    const sources = [...deployed, 'docker-compose.yml', ...filesUnder('tools', '.ts'), ...filesUnder('tools', 'cjs')];
    const text = sources.map(read).join('\n');
    const unread = toolSettings.filter((name) => !new RegExp(`(env\\.|settings\\.|env:|\\$\\{)${name}\\b`).test(text));
    expect(unread).toEqual([]);
  });
});
