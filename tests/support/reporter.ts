import process, { stdout } from 'node:process';

type Results = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
  /** Test files that could not be loaded. Their tests are not in the numbers above. */
  numRuntimeErrorTestSuites: number;
};

/** The line that CI reads instead of jest's own summary. A test file that cannot be loaded counts as one failure. */
export const closingLine = (results: Results): string => {
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
};

/** Prints the closing line at the exit of the process, because jest prints its summary after all reporters. */
export default class ClosingLineReporter {
  onRunComplete(_contexts: unknown, results: Results): void {
    process.once('exit', () => stdout.write(`${closingLine(results)}\n`));
  }
}
