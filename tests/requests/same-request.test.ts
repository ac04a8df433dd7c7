import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { differingLimits, isSameJson } from '../../lib/requests/same-request.ts';

describe('JSON texts are the same', () => {
  test.each([
    ['{"a":1,"b":[true,null]}', ' { "b" : [ true , null ] , "a" : 1 } '],
    ['"A\\u00e9\\n"', '"\\u0041é\\u000A"'],
    ['[1,10,0.1,-0,1e2]', '[1.0,1E1,1e-1,0,100]'],
    ['"\\ud800"', '"\\uD800"'],
    ['{"__proto__":1,"toJSON":2}', '{"toJSON":2,"__proto__":1.0}'],
    ['1e99999999999999999999', '10E+99999999999999999998'],
    ['0e5', '-0.000'],
    ['1e000000000000000000005', '10e+0000000000000000004'],
  ])('%s and %s', (one, other) => expect(isSameJson(one, other)).toBe(true));
});

describe('JSON texts are not the same', () => {
  test.each([
    ['9007199254740993', '9007199254740992'],
    ['1e400', '1e401'],
    ['1e400', 'null'],
    ['0.1', '0.1000000000000000055511151231257827'],
    ['1', '-1'],
    ['1', '10'],
    ['1', '"1"'],
    ['"1e0"', '1'],
    ['"a"', '"\\"a\\""'],
    ['[1,2]', '[2,1]'],
    ['{"a":1}', '{"a":1,"b":null}'],
    ['{"a":1}', '{"A":1}'],
    ['[]', '{}'],
    ['"\\ud800"', '"\\ud801"'],
    ['"\\ud800"', '"\\\\ud800"'],
    ['"é"', '"e\\u0301"'],
    ['1e99999999999999999999', '1e99999999999999999998'],
  ])('%s and %s', (one, other) => expect(isSameJson(one, other)).toBe(false));
});

test('what JSON.parse tells apart is not the same, and what it prints again is', () => {
  fc.assert(
    fc.property(fc.json(), fc.json(), (one, other) => {
      const [first, second] = [JSON.parse(one), JSON.parse(other)] as unknown[];
      expect(isSameJson(one, JSON.stringify(first, null, 2))).toBe(true);
      if (isSameJson(one, other)) expect(first).toEqual(second);
    }),
  );
});

test('long numbers are compared in linear time', () => {
  const zeros = '0'.repeat(250_000);
  expect(isSameJson(`1${zeros}1`, `1${zeros}1.0`)).toBe(true);
  expect(isSameJson(`0.${zeros}1`, `1e-250001`)).toBe(true);
  expect(isSameJson(`[${'1,'.repeat(100_000)}1]`, `[${'1.0,'.repeat(100_000)}1]`)).toBe(true);
});

test('long exponents are compared in linear time, and beyond 1,000 digits they must be written in the same way', () => {
  const nines = '9'.repeat(250_000);
  expect(isSameJson(`1e${nines}`, ` 1e${nines}`)).toBe(true);
  expect(isSameJson(`1e${nines}`, `1e${nines}1`)).toBe(false);
  expect(isSameJson(`1e-${nines}`, `1e${nines}`)).toBe(false);
  expect(isSameJson(`1e${'0'.repeat(250_000)}5`, '100000')).toBe(true);
  const thousand = '9'.repeat(1_000);
  expect(isSameJson(`10e${thousand}`, `1e1${'0'.repeat(1_000)}`)).toBe(true);
});

test('limits are the same when each of them is', () => {
  expect(differingLimits(undefined, {})).toEqual([]);
  expect(differingLimits({ timeoutMs: 1, maxAttempts: 2 }, { maxAttempts: 2, timeoutMs: 1 })).toEqual([]);
  expect(differingLimits({ timeoutMs: 1, maxAttempts: 2 }, { timeoutMs: 2 })).toEqual(['maxAttempts', 'timeoutMs']);
  expect(differingLimits(undefined, { onInterruption: 'rerun' })).toEqual(['onInterruption']);
});
