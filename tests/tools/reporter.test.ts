import { expect, test } from '@jest/globals';
import { closingLine } from '../support/reporter.ts';

const results = {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
};

test('the closing line counts what passed and failed, and what was skipped where there is any', () => {
  expect(closingLine({ ...results, numPassedTests: 3 })).toBe('3 passed, 0 failed');
  expect(closingLine({ ...results, numPassedTests: 3, numFailedTests: 1, numPendingTests: 1, numTodoTests: 1 })).toBe(
    '3 passed, 1 failed, 2 skipped',
  );
});

test('a test file that does not load is a failure', () => {
  expect(closingLine({ ...results, numRuntimeErrorTestSuites: 1 })).toBe('0 passed, 1 failed');
});
