/** A worker that does one isolated run, of the request in its arguments, and prints the outcome. */
import { isolate } from './isolate.ts';

const outcome = await isolate({ workerHangMs: Number(process.env.TEST_HANG_MS) }).run(
  JSON.parse(process.argv[2] ?? ''),
);
process.stdout.write(`${JSON.stringify(outcome)}\n`);
