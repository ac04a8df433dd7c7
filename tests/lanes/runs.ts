/** Processors for the tests of the lanes: runs that end when the test says so, and runs that end at once. */
import type { RunRequest } from '../../lib/ports.ts';
import type { Outcome, Run } from '../../lib/types.ts';
import { eventually, type TestUser } from '../support/world.ts';

export const done: Outcome = { kind: 'done', result: 'null' };
export const error = { name: 'Error', message: 'no luck' };

/** Runs that the test ends by hand, in the order in which they started. */
export const heldRuns = () => {
  const runs: (Run & { end: (outcome?: Outcome) => void; ended: boolean })[] = [];
  const runRequest: RunRequest = (run) =>
    new Promise((resolve) => {
      const held = {
        ...run,
        ended: false,
        end(outcome: Outcome = done) {
          held.ended = true;
          resolve(outcome);
        },
      };
      runs.push(held);
    });
  const of = ({ userId }: TestUser) => runs.filter((run) => run.userId === userId);
  const running = (user: TestUser, seq: number) =>
    eventually(`request ${seq} runs`, () => of(user).find((run) => run.seq === seq && !run.ended));
  return { runs, runRequest, of, running };
};

/** Runs that end at once, and a record of them. */
export const quickRuns = (outcome: (run: Run) => Outcome = () => done) => {
  const runs: Run[] = [];
  const runRequest: RunRequest = async (run) => {
    runs.push(run);
    return outcome(run);
  };
  return {
    runs,
    runRequest,
    seqs: ({ userId }: TestUser) => runs.filter((run) => run.userId === userId).map(({ seq }) => seq),
  };
};
