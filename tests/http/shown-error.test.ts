import { expect, test } from '@jest/globals';
import { shownError } from '../../lib/http/shown-error.ts';
import type { RunError } from '../../lib/types.ts';

const marked = { exposeErrors: 'marked' } as const;
const error = (more: Partial<RunError> = {}): RunError => ({ name: 'Error', message: 'text', ...more });

test('an error that was recorded without a mark, as all were before, is not shown', () => {
  expect(shownError(error(), marked)).toEqual({ name: 'Error', message: 'The run failed.' });
  expect(shownError(error({ exposed: false }), marked)).toEqual({ name: 'Error', message: 'The run failed.' });
});

test.each([
  ['MongoServerError', 'MongoServerError'],
  ['HttpException', 'HttpException'],
  ['hunter2', 'Error'],
  ['Ada Lovelace', 'Error'],
  ['mongodb://u:p@host/Error', 'Error'],
  [`${'A'.repeat(80)}Error`, 'Error'],
])('the name %p of an unmarked error is shown as %p', (name, shown) => {
  expect(shownError(error({ name }), marked).name).toBe(shown);
});

test('causes and parts are shown where they are marked themselves, and so is what holds them', () => {
  const inner = { name: 'any name', message: 'inner', exposed: true };
  const tree = error({ exposed: true, cause: error(), errors: [error(), inner] });
  expect(shownError(tree, marked)).toEqual({ name: 'Error', message: 'text', errors: [inner].map(shown) });
  expect(shownError(error({ cause: inner }), marked)).toEqual({ name: 'Error', message: 'The run failed.' });
});

test('with EXPOSE_ERRORS=all clients see all of it', () => {
  const cause = error({ name: 'any name', errors: [error(), error()] });
  expect(shownError(error({ cause }), { exposeErrors: 'all' })).toEqual(error({ cause }));
});

const shown = ({ name, message }: RunError) => ({ name, message });
