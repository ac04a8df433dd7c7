import { expect, test } from '@jest/globals';
import { fileBeside } from '../../lib/file-beside.ts';

test.each([
  ['file:///app/lib/accounts/passwords.ts', 'hash-thread', 'file:///app/lib/accounts/hash-thread.ts'],
  ['file:///app/lib/gateway/routes.js', '../../functions/queue', 'file:///app/functions/queue.js'],
  ['file:///a%20b/c.d/tools/child.js', 'end-with-parent', 'file:///a%20b/c.d/tools/end-with-parent.js'],
])('%s finds %s at %s', (asking, path, url) => {
  expect(fileBeside(asking, path).href).toBe(url);
});
