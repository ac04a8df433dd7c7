/** The processor of the benchmark: does what its job says, which is nothing or to wait, and tells the benchmark that it ran. */
import { env } from 'node:process';
import { createRecorder } from './runs.ts';
import type { Job } from './sides.ts';

const { work } = createRecorder(env.BENCH_RUNS ?? '');

export default (request: Job): Promise<void> => work(request);
