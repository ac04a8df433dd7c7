/** docs/http-api.md against the code, both ways: routes, access, error codes, statuses and fields. */
import { describe, expect, test } from '@jest/globals';
import { readRoutes } from '../../lib/gateway/routes.ts';
import { entryJson } from '../../lib/http/entry-json.ts';
import { type LedgerEntry, requestStatuses } from '../../lib/types.ts';
import { blocksOf, filesUnder, read, rowsOf, section, sorted } from './support/markdown.ts';

const page = read('docs/http-api.md');

/** The calls in the order of the page, each with the text of its section. */
const calls = [...page.matchAll(/^### `([A-Z]+ \/[^`]*)`$/gm)].map(([heading, name = '']) => ({
  name,
  text: section(page, heading),
}));
const errors = rowsOf(section(page, '## Errors'));

/** The text of a bullet of a call's section, up to the next one. */
const bullet = (text: string, label: string): string | undefined =>
  new RegExp(`^- \\*\\*${label}:?\\*\\*(.*?)(?=^- \\*\\*|^\`\`\`)`, 'ms').exec(text)?.[1];

/** Answered without a body, or with another one. */
const withoutJson = [
  'GET /console',
  'GET /console/console.js',
  'GET /console/console.css',
  'OPTIONS /{proxy+}',
  'GET /docs',
  'GET /docs/reference.js',
];

/** Errors that end a process at its start. No call answers with them. */
const startOnly = ['lib/consumer/', 'lib/library/', 'lib/runs/', 'lib/endpoints.ts', 'lib/start-or-exit.ts'];

/** The stable codes in the source, each with its status. */
const codesInSource = (): Map<string, number> => {
  const found = new Map<string, number>();
  for (const file of filesUnder('lib', '.ts').filter((name) => !startOnly.some((folder) => name.startsWith(folder)))) {
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

const accessOf = (path: string, source: string): string => {
  const [, scope, operators] = /forUsers: \{ scope: '(\w+)'(, operators: true)?/.exec(source) ?? [];
  if (path.startsWith('/users/') && scope)
    return `key with \`${scope}\`${operators ? '; operator with `?as=operator`' : ''}`;
  const identity = /identity: '(\w+)'/.exec(source)?.[1];
  if (identity === undefined) return 'public';
  return identity === 'operator' ? 'operator' : 'user';
};

describe('the API reference', () => {
  test('describes the routes of infra/functions.yml, and no other', async () => {
    const routes = (await readRoutes()).map(({ method, path }) => `${method} ${path}`);
    expect(sorted(calls.map(({ name }) => name))).toEqual(sorted(routes));
  });

  test('says of each call what it takes, answers and refuses, with an example', () => {
    for (const { name, text } of calls) {
      for (const label of ['Access', 'Takes', 'Answers', 'Errors']) {
        expect([name, label, bullet(text, label)?.trim()]).toEqual([name, label, expect.stringMatching(/./)]);
      }
      const [, path = ''] = name.split(' ');
      const [example = ''] = blocksOf(text, 'sh');
      expect(example).toMatch(
        new RegExp(path.replace('{ref}', '[\\w%]+').replace('{seq}', '\\d+').replace('{proxy+}', '\\w+')),
      );
      expect(blocksOf(text, 'json')).toHaveLength(withoutJson.includes(name) ? 0 : 1);
    }
  });

  test('says who may make each call', async () => {
    const given = calls.map(({ name, text }) => `${name}: ${bullet(text, 'Access')?.trim()}`);
    const asked = (await readRoutes()).map(({ method, path, file }) => {
      return `${method} ${path}: ${accessOf(path, read(`${file}.ts`))}`;
    });
    expect(sorted(given)).toEqual(sorted(asked));
  });

  test('lists every stable code with its status, and no other', () => {
    const listed = errors.map(([code, cells]) => `${cells[2]} ${code}`);
    expect(sorted(listed)).toEqual(sorted([...codesInSource()].map(([code, status]) => `${status} ${code}`)));
  });

  test('names for a call only codes of the list, with the same status', () => {
    const listed = errors.map(([code, cells]) => `${cells[2]} \`${code}\``);
    const named = calls.flatMap(({ text }) => bullet(text, 'Errors')?.match(/\d{3} `[a-z-]+`/g) ?? []);
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((error) => !listed.includes(error))).toEqual([]);
  });

  test('lists every status of a request, and no other', () => {
    expect(sorted(rowsOf(section(page, '### Status')).map(([status]) => status))).toEqual(sorted(requestStatuses));
  });

  test('lists every field of a request, and no other', () => {
    const at = new Date();
    const entry: LedgerEntry = {
      userId: 'user',
      seq: 2,
      key: 'key',
      body: '"hello"',
      status: 'failed',
      token: 1,
      attempts: 1,
      limits: { maxAttempts: 1, timeoutMs: 1, onInterruption: 'dead-letter' },
      forgiven: 0,
      interruptions: 0,
      deadLetter: { reason: 'failed', at },
      result: 'null',
      error: { name: 'Error', message: 'failed' },
      retryAt: at,
      endRequestedAt: at,
      acceptedAt: at,
      startedAt: at,
      settledAt: at,
    };
    const entries: LedgerEntry[] = [entry, { ...entry, status: 'queued' }, { ...entry, retryOf: 1 }];
    const shown = new Set(
      entries.flatMap((one) => Object.keys(JSON.parse(entryJson(one, 1, { exposeErrors: 'all' })))),
    );
    const fields = rowsOf(section(page, '## The request object').split('\n### ')[0] ?? '').map(([field]) => field);
    expect(sorted(fields)).toEqual(sorted(shown));
  });
});
