import { expect, test } from '@jest/globals';
import { batchOf } from '../../lib/http/batch-input.ts';
import type { Call } from '../../lib/http/call.ts';

test.each([[{ request: { requests: [1] } }], [['requests']], [null], ['requests']])(
  'a call without `requests` is known by its parsed body: its text is not read (%j)',
  (json) => {
    const call = {
      json,
      get text(): string {
        throw new Error('The text was read.');
      },
    };
    expect(batchOf(call as Call)).toBeUndefined();
  },
);
