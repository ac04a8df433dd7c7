import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maxEnqueueTextBytes } from '../../lib/http/input.ts';
import { depthOf, elementTexts, memberText } from '../../lib/http/json-text.ts';

describe('memberText', () => {
  test('returns the text of any JSON value, wherever it is in the object', () => {
    const member = fc.tuple(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.array(member),
        fc.array(member),
        fc.constantFrom(undefined, 2),
        (value, before, after, indent) => {
          const text = JSON.stringify(value, null, indent);
          const others = (members: [string, unknown][]) =>
            members
              .filter(([name]) => name !== 'request')
              .map(([name, other]) => `${JSON.stringify(name)} : ${JSON.stringify(other)}`);
          const object = `{ ${[...others(before), ` "request" :\n${text} `, ...others(after)].join(' , ')} }`;
          expect(memberText(object, 'request')).toBe(text);
        },
      ),
    );
  });

  test.each([
    [
      'numbers beyond what JavaScript holds',
      '{"request":[12345678901234567890,1e400,1.10]}',
      '[12345678901234567890,1e400,1.10]',
    ],
    [
      '__proto__ and constructor as keys',
      '{"request":{"__proto__":{"a":1},"constructor":2}}',
      '{"__proto__":{"a":1},"constructor":2}',
    ],
    ['the order of integer-like and duplicate keys', '{"request":{"b":1,"1":2,"b":3}}', '{"b":1,"1":2,"b":3}'],
    ['structure inside strings', String.raw`{"x":"\",\"request\":1","request":"}],{\\"}`, String.raw`"}],{\\"`],
    ['members of the same name deeper down', '{"x":{"request":1},"request":2,"y":[{"request":3}]}', '2'],
    ['the last of two members, as JSON.parse does', '{"request":1,"request":{"a":[]}}', '{"a":[]}'],
    ['a name written with escapes', String.raw`{"\u0072equest":true}`, 'true'],
    ['null', '{"request":null}', 'null'],
  ])('keeps %s', (_what, object, expected) => {
    expect(memberText(object, 'request')).toBe(expected);
  });

  test('returns undefined when there is no such member', () => {
    expect(memberText('{}', 'request')).toBeUndefined();
    expect(memberText('{"a":"request","b":{"request":1}}', 'request')).toBeUndefined();
  });
});

describe('elementTexts', () => {
  test('returns the texts of any JSON values, however the array is spaced', () => {
    const space = fc.constantFrom('', ' ', '\n\t');
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2), space, (values, indent, around) => {
        const texts = values.map((value) => JSON.stringify(value, null, indent));
        const array = `${around}[${around}${texts.join(`${around},${around}`)}${around}]`;
        expect(elementTexts(array)).toEqual(texts);
      }),
    );
  });
});

describe('depthOf', () => {
  test('counts how deep arrays and objects nest, without brackets in strings', () => {
    expect(depthOf('1')).toBe(0);
    expect(depthOf('{"a":[[],{"b":1}],"c":"[[[[\\"[["}')).toBe(3);
  });

  test('counts the depth of text that is not closed, without a stack', () => {
    expect(depthOf('['.repeat(100_000))).toBe(100_000);
  });

  test.each(['"[[', '"[[\\', '"[[\\"[[', '"[[\\\n[['])(
    'treats a string without an end as one that ends with the text: %j',
    (text) => {
      expect(depthOf(`[${text}`)).toBe(1);
    },
  );

  // Large texts took minutes while each quote was tried again as the start of a string.
  test.each([
    ['escaped quotes', '"', '\\"'],
    ['escaped backslashes', '"', '\\\\'],
    ['strings', '"', '""'],
    ['escaped quotes outside of a string', '', '\\"'],
    ['brackets after escaped quotes', '"', '\\"['],
  ])('reads the largest HTTP body within a second, even if its string never ends: %s', (_what, start, piece) => {
    const text = start + piece.repeat(maxEnqueueTextBytes / piece.length);
    const begin = performance.now();
    depthOf(text);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});
