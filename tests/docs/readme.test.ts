/** The README tells what the code does: its tables, names and links are compared with the code both ways. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { environment } from '../../lib/config.ts';
import { readRoutes } from '../../lib/gateway/routes.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const filesUnder = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

const readme = read('README.md');

/** The text under a heading, up to the next one of its level or above. */
const section = (heading: string): string => {
  const level = heading.indexOf(' ');
  const start = readme.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`The README has no heading "${heading}".`);
  const body = readme.slice(start + heading.length + 2);
  const end = body.search(new RegExp(`^#{1,${level}} `, 'm'));
  return end < 0 ? body : body.slice(0, end);
};

/** The cells of all table rows whose first cell begins with `code`, by the text of that code. */
const rowsOf = (text: string): [name: string, cells: string[]][] =>
  text.split('\n').flatMap((line) => {
    const name = /^\| `([^`]+)`/.exec(line)?.[1];
    return name === undefined ? [] : [[name, line.split('|').map((cell) => cell.trim())] as [string, string[]]];
  });

const codesIn = (cell: string): string[] => [...cell.matchAll(/`([^`]*)`/g)].map(([, text = '']) => text);

const sorted = (values: Iterable<string>): string[] => [...values].sort();

type Setting = { meaning: string; range: string; default: string; readBy: string };
const settings = new Map(
  ['### Both', '### Functions', '### Consumer'].flatMap((heading) =>
    rowsOf(section(heading)).map(([name, [, , meaning = '', range = '', byDefault = '', readBy = '']]) => {
      const setting: Setting = { meaning, range, default: byDefault, readBy };
      return [name, setting] as const;
    }),
  ),
);
const toolSettings = rowsOf(section('### Tools')).map(([name]) => name);

const schemaOf = (name: string) => environment[name as keyof typeof environment];

/** A default as the table writes it. */
const written = (name: string): string => {
  const value = schemaOf(name).parse(undefined);
  if (name === 'WORKERS' && value === availableParallelism()) return 'CPU cores';
  if (value === undefined) return 'none';
  return value === '' ? 'empty' : `\`${value}\``;
};

describe("the README's configuration tables", () => {
  test('name every environment variable that the configuration knows, and no other', () => {
    expect(sorted(settings.keys())).toEqual(sorted(Object.keys(environment)));
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
    for (const name of ['LOG_LEVEL', 'LANE_QUEUE_TYPE'] as const) {
      expect(codesIn(settings.get(name)?.range ?? '')).toEqual(environment[name].unwrap().options);
    }
  });

  test('say who reads it: what serverless.yml hands to functions is read by them', () => {
    for (const { readBy } of settings.values()) expect(['both', 'functions', 'consumer']).toContain(readBy);
    const handed = Object.keys(parse(read('serverless.yml')).provider.environment);
    for (const name of handed) expect(['both', 'functions']).toContain(settings.get(name)?.readBy);
  });

  test('name whatever serverless.yml and docker-compose.yml take from outside', () => {
    const outside = [
      ...[...read('serverless.yml').matchAll(/\$\{env:([A-Z_]+)/g)],
      ...[...read('docker-compose.yml').matchAll(/\$\{([A-Z_]+):-/g)],
    ].map(([, name]) => name);
    const documented = [...settings.keys(), ...toolSettings];
    expect(outside.filter((name) => !documented.includes(name ?? ''))).toEqual([]);
  });

  test('name for the tools only what a tool reads', () => {
    const sources = [
      'serverless.yml',
      'docker-compose.yml',
      ...filesUnder('tools', '.ts'),
      ...filesUnder('tools', 'cjs'),
    ];
    const text = sources.map(read).join('\n');
    const ghosts = toolSettings.filter((name) => !new RegExp(`(env\\.|settings\\.|env:|\\$\\{)${name}\\b`).test(text));
    expect(ghosts).toEqual([]);
  });
});

/** Errors that end the consumer at its start; no call answers with them. */
const consumerOnly = 'lib/consumer/';

/** The stable codes in the source, each with the status that stands behind it. */
const codesInSource = (): Map<string, number> => {
  const found = new Map<string, number>();
  for (const file of filesUnder('lib', '.ts').filter((name) => !name.startsWith(consumerOnly))) {
    const source = read(file);
    for (const match of source.matchAll(/(?<!addIssue\(\{ )\bcode: ((?:'[a-z-]+'(?: \| )?)+)/g)) {
      const status = /status: (\d+)/.exec(source.slice(match.index))?.[1];
      for (const [, code = ''] of (match[1] ?? '').matchAll(/'([a-z-]+)'/g)) found.set(code, Number(status));
    }
    for (const [, status, code = ''] of source.matchAll(/refuse\(\w+, \w+, (\d+), '([a-z-]+)'/g)) {
      found.set(code, Number(status));
    }
  }
  return found;
};

describe("the README's tables of the API", () => {
  const api = section('## HTTP API');
  const rows = rowsOf(api);
  const calls = rows.filter(([name]) => /^[A-Z]+ \//.test(name));
  const errors = rows.filter(([name]) => /^[a-z-]+$/.test(name));

  test('list the routes of serverless.yml, and no other', async () => {
    const routes = (await readRoutes()).map(({ method, path }) => `${method} ${path}`);
    expect(calls.map(([call]) => call)).toEqual(routes);
  });

  test('put a lock on exactly the calls that ask who calls', async () => {
    const locked = calls.filter(([, cells]) => cells[1]?.includes('🔒')).map(([call]) => call);
    const asking = (await readRoutes()).filter(({ file }) => read(`${file}.ts`).includes('identity:'));
    expect(locked).toEqual(asking.map(({ method, path }) => `${method} ${path}`));
  });

  test('list every stable code with its status, and no other', () => {
    const listed = errors.map(([code, cells]) => `${cells[2]} ${code}`);
    expect(sorted(listed)).toEqual(sorted([...codesInSource()].map(([code, status]) => `${status} ${code}`)));
  });

  test('name for a call only codes of the list, with the same status', () => {
    const listed = errors.map(([code, cells]) => `${cells[2]} \`${code}\``);
    const named = calls.flatMap(([, cells]) => cells[4]?.split(', ').filter(Boolean) ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((error) => !listed.includes(error))).toEqual([]);
  });
});

test('the README lists every metric that the consumer serves, and no other', () => {
  const served = filesUnder('lib/consumer', '.ts').flatMap(
    (file) => read(file).match(/(?<=')lanekeeper_\w+(?=')/g) ?? [],
  );
  expect(sorted(rowsOf(section('## Operation')).map(([name]) => name))).toEqual(sorted(served));
});

test('the README lists every npm script, and no other', () => {
  const listed = rowsOf(section('## Development')).map(([name]) => name.replace(/^npm (run )?/, ''));
  expect(sorted(listed)).toEqual(sorted(Object.keys(JSON.parse(read('package.json')).scripts)));
});

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

const anchorsOf = (text: string): string[] => [...text.matchAll(/^#+ (.*)$/gm)].map(([, line = '']) => anchorOf(line));

const documents = ['README.md', 'CHANGELOG.md', ...filesUnder('docs', '.md'), ...filesUnder('examples', '.md')];

test.each(documents)('every link of %s within the repository leads somewhere', (document) => {
  const dead = [...read(document).matchAll(/\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)/g)].filter(([, path, anchor]) => {
    const target = path ? join(dirname(document), path) : document;
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
  });
  expect(dead.map(([link]) => link)).toEqual([]);
});
