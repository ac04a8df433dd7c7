import { describe, expect, test } from '@jest/globals';
import { loggablePath } from '../../lib/http/call-line.ts';

describe('loggablePath', () => {
  test.each([
    ['/requests/{seq}', '/requests/5', '/requests/5'],
    ['/requests/{seq}', '/requests/eyJhbGciOiJIUzI1NiJ9', '/requests/*'],
    ['/requests/{seq}', '/requests/5x', '/requests/*'],
    ['/requests/{seq}', '/requests/', '/requests/*'],
    ['/requests/{seq}', `/requests/${'9'.repeat(16)}`, '/requests/*'],
    ['/requests/{seq}/retry', '/requests/5/retry', '/requests/5/retry'],
    ['/queue', '/queue', '/queue'],
  ])('of %s shows %s as %s', (template, path, expected) => {
    expect(loggablePath(template, path)).toBe(expected);
  });

  test.each([
    ['/queue', '/queue/'],
    ['/queue', '/secret'],
    ['/requests/{seq}', '/requests/5/retry'],
    ['/requests/{seq}', '/secret/5'],
    ['/queue', '/stage/queue'],
  ])('of %s does not match %s', (template, path) => {
    expect(loggablePath(template, path)).toBeUndefined();
  });
});
