/** docs/openapi.json: fresh, complete, valid, and in line with docs/http-api.md. */
import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { describe, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import { readRoutes } from '../../lib/gateway/routes.ts';
import { neverAnswered, problems } from '../../tools/openapi/problems.ts';
import { describeApi, descriptionText } from '../../tools/openapi/text.ts';
import { root } from '../../tools/run-tool.ts';
import { faultsOf, faultsOfAnswer } from '../http/description.ts';
import { blocksOf, read, rowsOf, section, sorted } from './support/markdown.ts';

jest.setTimeout(60_000);

const page = read('docs/http-api.md');

type Media = { example?: unknown; examples?: object; schema: { properties?: { code: { enum: string[] } } } };
type Body = { content?: Record<string, Media> };
type Operation = { requestBody?: Body; responses: Record<string, Body>; parameters?: { name: string }[] };

const { paths, components } = describeApi(true) as unknown as {
  paths: Record<string, Record<string, Operation>>;
  components: { examples: Record<string, { summary?: string; value: unknown }> };
};

const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation, names: ['paths', path, method] })),
);

/** Every body that a call takes or answers with, and where the description has it. */
const bodies = operations.flatMap(({ method, path, operation, names }) =>
  [
    { where: ['requestBody'], body: operation.requestBody ?? {} },
    ...Object.entries(operation.responses).map(([status, body]) => ({ where: ['responses', status], body })),
  ].flatMap(({ where, body }) =>
    Object.entries(body.content ?? {}).map(([type, media]) => {
      const call = `${method.toUpperCase()} ${path}`;
      return { call, media, type, where, schema: [...names, ...where, 'content', type, 'schema'] };
    }),
  ),
);

const codesOf = ({ responses }: Operation): string[] =>
  Object.values(responses).flatMap(
    ({ content }) => content?.['application/problem+json']?.schema.properties?.code.enum ?? [],
  );

describe('the description of the API', () => {
  test('is written anew after each change of the code: npm run openapi', () => {
    expect(read('docs/openapi.json')).toBe(descriptionText());
  });

  test('has the routes of infra/functions.yml, and no other', async () => {
    const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    const routes = (await readRoutes()).map(({ method, path }) => `${method} ${path.replace('{proxy+}', '{path}')}`);
    expect(sorted(described)).toEqual(sorted(routes));
  });

  test('has every stable code with its status, and no other', () => {
    const listed = rowsOf(section(page, '## Errors'))
      .map(([code, cells]) => `${cells[2]} ${code}`)
      .filter((row) => !neverAnswered.includes(row.split(' ')[1] ?? ''));
    const described = Object.entries(problems).map(([code, status]) => `${status} ${code}`);
    expect(sorted(described)).toEqual(sorted(listed));
    expect(sorted(new Set(operations.flatMap(({ operation }) => codesOf(operation))))).toEqual(
      sorted(Object.keys(problems)),
    );
  });

  test('has for each call the errors that docs/http-api.md names for it', () => {
    const named = operations.map(({ method, path, operation }) => {
      const heading = `### \`${method.toUpperCase()} ${path.replace('{path}', '{proxy+}')}\``;
      const [, errors = ''] = /^- \*\*Errors:\*\*(.*)$/m.exec(section(page, heading)) ?? [];
      const codes = [...errors.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code);
      expect([heading, codesOf(operation)]).toEqual([heading, expect.arrayContaining(codes)]);
      return codes.length;
    });
    expect(named.reduce((sum, count) => sum + count)).toBeGreaterThan(30);
  });

  test('says of every code when a call answers with it', () => {
    const without = Object.entries(components.examples).filter(([, { summary }]) => !/^[A-Z].+\.$/.test(summary ?? ''));
    expect(without).toEqual([]);
  });

  test('has an example of every JSON body, which its schema allows', () => {
    const faults = bodies
      .filter(({ type }) => type === 'application/json')
      .map(({ call, where, media, schema }) => [call, ...where, faultsOf(media.example, schema)]);
    expect(faults.length).toBeGreaterThan(35);
    expect(faults.filter((fault) => fault.at(-1) !== undefined)).toEqual([]);
  });

  test('has an example of every code of every call, which its schema allows', () => {
    const faults = bodies
      .filter(({ type }) => type === 'application/problem+json')
      .flatMap(({ call, where, media, schema }) =>
        Object.keys(media.examples ?? {}).map((code) => [
          ...[call, ...where, code],
          faultsOf(components.examples[code]?.value, schema),
        ]),
      );
    expect(faults.length).toBeGreaterThan(300);
    expect(faults.filter((fault) => fault.at(-1) !== undefined)).toEqual([]);
  });

  test('allows the answers that docs/http-api.md shows', () => {
    const faults = operations.map(({ method, path, operation }) => {
      const name = `${method.toUpperCase()} ${path.replace('{path}', '{proxy+}')}`;
      const [shown] = blocksOf(section(page, `### \`${name}\``), 'json');
      const succeeded = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
      const answer = { contentType: 'application/json', text: shown ?? '' };
      const found = succeeded.map((status) =>
        shown ? faultsOfAnswer(method, path, { ...answer, status: Number(status) }) : undefined,
      );
      return [name, found.includes(undefined) ? undefined : found];
    });
    expect(faults.filter(([, found]) => found !== undefined)).toEqual([]);
  });

  test('passes the rules of Redocly', async () => {
    const redocly = join(root, 'node_modules', '@redocly', 'cli', 'bin', 'cli.js');
    const quiet = { ...env, REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
    const { exitCode, all } = await execa(execPath, [redocly, 'lint', 'docs/openapi.json'], {
      ...{ cwd: root, env: quiet, all: true, reject: false },
    });
    expect([exitCode, exitCode === 0 ? '' : all]).toEqual([0, '']);
  });
});

describe('an answer', () => {
  const queued = { seq: 1, status: 'queued', position: 1, attempts: 0, acceptedAt: '2026-11-28T02:54:01.669Z' };
  const request = { ...queued, attemptLog: [] };
  const answer = (body: unknown, status = 200, contentType = 'application/json') =>
    faultsOfAnswer('GET', '/requests/1', { status, contentType, text: JSON.stringify(body) });

  test('that is described has no faults', () => {
    expect(answer(request)).toBeUndefined();
    expect(answer(request, 200, 'application/json; charset=utf-8')).toBeUndefined();
    const problem = {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'request-not-found',
      detail: 'None.',
    };
    expect(answer(problem, 404, 'application/problem+json')).toBeUndefined();
  });

  test.each<[string, string, () => string | undefined]>([
    ['a status', 'the status 201 is not described', () => answer(request, 201)],
    ['a content type', 'the content type text/html is not described', () => answer(request, 200, 'text/html')],
    ['a type', 'body/seq must be integer', () => answer({ ...request, seq: '1' })],
    ['a format', 'body/acceptedAt must match', () => answer({ ...request, acceptedAt: 'today' })],
    ['a field', 'must NOT have additional properties', () => answer({ ...request, secret: 1 })],
    ['a missing field', "must have required property 'attempts'", () => answer({ ...request, attempts: undefined })],
    [
      'a code',
      'body/code must be equal to one of the allowed values',
      () =>
        answer(
          { type: 'about:blank', title: 'x', status: 404, code: 'username-taken' },
          404,
          'application/problem+json',
        ),
    ],
    [
      'a body',
      'a body is not described',
      () => faultsOfAnswer('OPTIONS', '/queue', { status: 204, contentType: undefined, text: '{}' }),
    ],
  ])('that differs in %s has a fault', (_what, fault, faults) => {
    expect(faults()).toContain(fault);
  });
});
