/**
 * Tests of processors, without a server: `import { createTestQueue, runProcessor } from 'lanekeeper/testing'`. Works with every test
 * framework, and uses nothing of any.
 */
export { type RunOutcome, runProcessor, type TestContext, type TestError } from './testing/run-processor.ts';
export { createTestLogger, type LogLine, type TestLogger } from './testing/test-logger.ts';
export {
  createTestQueue,
  type TestEnqueueOptions,
  type TestQueue,
  type TestQueueOptions,
} from './testing/test-queue.ts';
export type { TestDeadLetter, TestRequest, TestRun } from './testing/test-request.ts';
