import process, { stdout } from 'node:process';

type Results = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** Test files that did not even load: none of their tests is counted above. */
  numRuntimeErrorTestSuites: number;
};

/** The line CI reads: jest's own summary is not. A test file that does not load counts as one failure. */
export const closingLine = (results: Results): string => {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
};

/** Prints the closing line alone on a line, when everything else is printed: jest adds its summary after all reporters. */
export default class ClosingLineReporter {
  onRunComplete(_contexts: unknown, results: Results): void {
    process.once('exit', () => stdout.write(`${closingLine(results)}\n`));
  }
}
