import type { RunError } from '../types.ts';

const maxMessageLength = 1_000;
const maxNameLength = 100;

const clip = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

/** A property of a thrown value. User code may throw anything, also an object whose getters throw. */
export const propertyOf = (thrown: unknown, property: string): unknown => {
  try {
    return (thrown as Record<string, unknown> | null | undefined)?.[property];
  } catch {
    return undefined;
  }
};

const textOf = (value: unknown): string => {
  try {
    return String(value);
  } catch {
    return 'a value that cannot be printed';
  }
};

/** The error with a remark of ours, for which its own message makes room. */
export const withRemark = ({ name, message }: RunError, remark: string): RunError => {
  const shown = ` (${remark})`;
  return { name, message: clip(message, maxMessageLength - shown.length) + shown };
};

/** The part of a thrown value that the ledger records and the client sees: its name and message, clipped, never its stack. */
export const toRunError = (thrown: unknown): RunError => {
  const name = propertyOf(thrown, 'name');
  const message = propertyOf(thrown, 'message');
  return {
    name: clip(typeof name === 'string' && name !== '' ? name : 'Error', maxNameLength),
    message: clip(typeof message === 'string' ? message : textOf(thrown), maxMessageLength),
  };
};
