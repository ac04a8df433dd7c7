import { describe, expect, test } from '@jest/globals';
import { carriedTrace, newTraceLike, readTraceparent, traceIdOf } from '../../lib/traceparent.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const traceparent = `00-${traceId}-${spanId}-01`;

describe('a traceparent', () => {
  test('is read as it is', () => {
    expect(readTraceparent(traceparent)).toBe(traceparent);
    expect(readTraceparent(` ${traceparent} `)).toBe(traceparent);
    expect(traceIdOf(traceparent)).toBe(traceId);
  });

  test('of a later version is cut down to what version 00 says', () => {
    expect(readTraceparent(`cc-${traceId}-${spanId}-09-what-the-future-will-be-like`)).toBe(traceparent);
    expect(readTraceparent(`cc-${traceId}-${spanId}-08`)).toBe(`00-${traceId}-${spanId}-00`);
  });

  test.each([
    ['nothing', undefined],
    ['another type', { traceparent }],
    ['no text', ''],
    ['the forbidden version', `ff-${traceId}-${spanId}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span id of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['capital letters', traceparent.toUpperCase()],
    ['more than version 00 may say', `${traceparent}-more`],
    ['a list of two', `${traceparent},${traceparent}`],
    ['a line break', `${traceparent}\nx`],
    ['a text that is long', `cc-${traceId}-${spanId}-01${'x'.repeat(100_000)}`],
  ])('is not: %s', (_what, value) => {
    expect(readTraceparent(value)).toBeUndefined();
  });
});

describe('the trace of a run', () => {
  test('is that of the call for the first run, and a new one for every other', () => {
    expect(carriedTrace(traceparent, 1)).toEqual({ traceparent });
    const second = carriedTrace(traceparent, 2)!;
    expect(second.linkedTo).toBe(traceparent);
    expect(readTraceparent(second.traceparent)).toBe(second.traceparent);
    expect(traceIdOf(second.traceparent)).not.toBe(traceId);
    expect(carriedTrace(traceparent, 3)!.traceparent).not.toBe(second.traceparent);
  });

  test('is none where the call had none', () => {
    expect(carriedTrace(undefined, 1)).toBeUndefined();
    expect(carriedTrace(undefined, 2)).toBeUndefined();
  });

  test('is sampled where the first one is', () => {
    expect(newTraceLike(traceparent)).toMatch(/-01$/);
    expect(newTraceLike(`00-${traceId}-${spanId}-00`)).toMatch(/-00$/);
  });
});
