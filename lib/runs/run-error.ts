import { clip, describe, isError, partsOf, propertyOf } from '../thrown.ts';
import type { RunError } from '../types.ts';

const maxMessageLength = 1_000;
const maxNestedMessageLength = 500;
const maxNameLength = 100;
/** How deep causes and parts may nest. */
const maxDepth = 5;
/** Causes and parts of one error, at all depths. */
const maxNested = 10;

/** By name, because user code may carry its own copy of the class. */
const exposedNames = ['UnrecoverableError', 'RetryAfterError'];

/** An error of ours, whose text clients may see. */
export const ownError = (name: string, message: string, cause?: RunError): RunError => ({
  name,
  message: clip(message, maxMessageLength),
  exposed: true,
  ...(cause && { cause }),
});

/** The error with a remark of ours, for which its own message makes room. */
export const withRemark = (error: RunError, remark: string): RunError => {
  const shown = ` (${remark})`;
  return { ...error, message: clip(error.message, maxMessageLength - shown.length) + shown };
};

const isExposed = (thrown: unknown, name: unknown): boolean => {
  const expose = propertyOf(thrown, 'expose');
  return expose === true || (expose !== false && exposedNames.includes(String(name)));
};

/** An error without a message says what its parts or its cause say: a refused connection to `localhost` is such an error. */
const fallbackMessage = (thrown: unknown, { cause, errors }: Pick<RunError, 'cause' | 'errors'>): string => {
  const nested = (errors ?? (cause ? [cause] : [])).map(({ message }) => message).join('; ');
  if (nested !== '') return nested;
  const code = propertyOf(thrown, 'code');
  return typeof code === 'string' && code !== '' ? code : 'The error has no message';
};

type Visit = { depth: number; seen: Set<unknown>; left: { nested: number } };

const visit = (thrown: unknown, { depth, seen, left }: Visit): RunError => {
  const inside = new Set([...seen, thrown]);
  const nest = (value: unknown): RunError[] => {
    const isObject = typeof value === 'object' && value !== null;
    if (value === undefined || value === null || depth === maxDepth || left.nested === 0) return [];
    if (isObject && inside.has(value)) return [];
    left.nested -= 1;
    return [visit(value, { depth: depth + 1, seen: inside, left })];
  };
  const name = propertyOf(thrown, 'name');
  const message = propertyOf(thrown, 'message');
  const parts = partsOf(thrown, maxNested).flatMap(nest);
  const [cause] = nest(propertyOf(thrown, 'cause'));
  const nested = { ...(cause && { cause }), ...(parts.length > 0 && { errors: parts }) };
  const own = typeof message === 'string' ? message : describe(thrown);
  return {
    name: clip(typeof name === 'string' && name !== '' ? name : 'Error', maxNameLength),
    message: clip(own || fallbackMessage(thrown, nested), depth === 0 ? maxMessageLength : maxNestedMessageLength),
    // What stands in for an empty message was not marked.
    ...(own !== '' && isExposed(thrown, name) && { exposed: true }),
    ...nested,
  };
};

/** The part of a thrown value that the ledger records: names and messages, clipped, with causes and parts, never a stack. */
export const toRunError = (thrown: unknown): RunError =>
  visit(thrown, { depth: 0, seen: new Set(), left: { nested: maxNested } });

/** What was recorded of an error, as an error without a stack: the log shows nothing of other values. */
export const asError = ({ name, message, cause, errors }: RunError): Error =>
  Object.assign(new Error(message), {
    name,
    stack: undefined,
    ...(cause && { cause: asError(cause) }),
    ...(errors && { errors: errors.map(asError) }),
  });

/** A thrown value for the log: with its stack if it is an error, and otherwise as it would be recorded. */
export const forLog = (thrown: unknown): Error => (isError(thrown) ? thrown : asError(toRunError(thrown)));
