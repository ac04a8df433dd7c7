/** One environment variable: its name, who reads it, and what it may be. */
import { z } from 'zod';

export type Role = 'functions' | 'consumer';

type Setting<Name extends string, Reader extends string, Schema extends z.ZodType> = {
  /** The environment variable. */
  name: Name;
  readBy: Reader;
  /** Checks and reads the variable's text. The default is part of it. */
  schema: Schema;
};

const settingOf =
  <Reader extends Role | 'both'>(readBy: Reader) =>
  <const Name extends string, Schema extends z.ZodType>(name: Name, schema: Schema): Setting<Name, Reader, Schema> => ({
    name,
    readBy,
    schema,
  });

export const both = settingOf('both');
export const functions = settingOf('functions');
export const consumer = settingOf('consumer');

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .transform(Number);

export const optionalInteger = (min: number, max: number) => wholeNumber(min, max).optional();

export const integer = (min: number, max: number, byDefault: number) => wholeNumber(min, max).default(byDefault);

export const choice = <const Values extends readonly string[]>(...values: Values) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

export const textOf = (minLength: number) => z.string().min(minLength, `must have at least ${minLength} characters`);
