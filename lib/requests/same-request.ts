/** Whether two requests under one Idempotency-Key are the same: equal JSON, and equal limits. */
import canonicalize from 'canonicalize';
import type { RunLimits } from '../types.ts';

/** Of valid JSON: each string and each number, in one match. */
const scalars = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Not a regular expression: `/0+$/` takes quadratic time for zeros in the middle. */
const withoutEndingZeros = (digits: string): string => {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
};

/** `BigInt` takes quadratic time. No number that a program means has so many digits in its exponent. */
const maxExponentDigits = 1_000;

/**
 * The same text for equal numbers, however they are written, and another one for all others, however large. Numbers with a larger
 * exponent than any use has are equal only if they are written in the same way.
 */
const exactNumber = (text: string): string => {
  const [, sign = '', integer = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE](.+))?$/.exec(text) ?? [];
  const digits = (integer + fraction).replace(/^0+/, '');
  const significant = withoutEndingZeros(digits);
  if (significant === '') return '0';
  const shift = digits.length - significant.length - fraction.length;
  const exponentDigits = exponent.replace(/^[+-]?0*/, '') || '0';
  if (exponentDigits.length > maxExponentDigits) return text;
  const exact = exponent.startsWith('-') ? `-${exponentDigits}` : exponentDigits;
  const power = exact.length < 15 ? Number(exact) + shift : BigInt(exact) + BigInt(shift);
  return `${sign}${significant}e${power}`;
};

/**
 * RFC 8785, but with exact numbers: it would round them to doubles. So each number becomes a text before it is parsed. Each string
 * becomes its own JSON, which also has no half of a surrogate pair, and cannot look like a number.
 */
const canonical = (json: string): string | undefined => {
  const exact = (scalar: string) =>
    scalar.startsWith('"') ? JSON.stringify(JSON.stringify(JSON.parse(scalar))) : `"${exactNumber(scalar)}"`;
  return canonicalize(JSON.parse(json.replace(scalars, exact)));
};

/** Both texts must be JSON. */
export const isSameJson = (one: string, other: string): boolean => one === other || canonical(one) === canonical(other);

/** The limits that differ. */
export const differingLimits = (one: RunLimits = {}, other: RunLimits = {}): (keyof RunLimits)[] =>
  (['maxAttempts', 'timeoutMs', 'onInterruption'] as const).filter((limit) => one[limit] !== other[limit]);
