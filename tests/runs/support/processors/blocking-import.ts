/** A processor whose import blocks the event loop for `TEST_BLOCK_MS`, as some large libraries do. */
import './blocking-library.ts';

export default (request: unknown) => request;
