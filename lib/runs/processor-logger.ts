/** The logger of one run. Strict collectors refuse a line that has a key twice, so no line has. */
import type { Logger } from '../log.ts';
import type { LogMethod, ProcessorLogger } from '../processor.ts';
import { isError, propertyOf } from '../thrown.ts';

type Fields = Record<string, unknown>;

/** What each line has anyway, and where a processor's fields of the same names go. */
const nestedKey = 'processor';
const ownKeys = ['level', 'time', 'msg', nestedKey];

/** The names that a processor cannot give to its own fields. `context`: the fields of the run. */
export const takenNames = (log: Pick<Logger, 'bindings'>, context: Fields): Set<string> =>
  new Set([...ownKeys, ...Object.keys(log.bindings()), ...Object.keys(context)]);

/** The fields of the run and the processor's own. One whose name is taken goes into `processor`, unless it says the same. */
const together = (context: Fields, own: Fields, taken: Set<string>, message: unknown): Fields => {
  const names = Object.keys(own);
  const clashing = names.filter((name) => taken.has(name));
  if (clashing.length === 0) return { ...context, ...own };
  const said: Fields = { ...context, msg: message };
  const pick = (chosen: string[]) => Object.fromEntries(chosen.map((name) => [name, own[name]]));
  const nested = clashing.filter((name) => own[name] !== said[name]);
  const free = pick(names.filter((name) => !taken.has(name)));
  return { ...context, ...free, ...(nested.length > 0 ? { [nestedKey]: pick(nested) } : {}) };
};

type Passed = { fields: Fields; message: unknown; args: unknown[] };

/** What was passed to a method. Like pino, it takes fields, a message with arguments, or an error. */
const readPassed = ([first, ...rest]: unknown[]): Passed => {
  if (typeof first !== 'object' || first === null) return { fields: {}, message: first, args: rest };
  const [message, ...args] = rest;
  if (isError(first)) return { fields: { err: first }, message: message ?? propertyOf(first, 'message'), args };
  const fields = { ...first } as Fields;
  return { fields, message: message ?? (typeof fields.msg === 'string' ? fields.msg : undefined), args };
};

/** @param taken `takenNames`, made once: it is the same for every run. */
export const createProcessorLogger = (
  log: Logger,
  context: Fields,
  taken: Set<string>,
  own: Fields = {},
): Required<ProcessorLogger> => {
  const method =
    (level: keyof Omit<ProcessorLogger, 'child'>): LogMethod =>
    (...passed: unknown[]) => {
      if (!log.isLevelEnabled(level)) return;
      const { fields, message, args } = readPassed(passed);
      log[level](together(context, { ...own, ...fields }, taken, message), message as string, ...args);
    };
  return {
    fatal: method('fatal'),
    error: method('error'),
    warn: method('warn'),
    info: method('info'),
    debug: method('debug'),
    trace: method('trace'),
    child: (fields) => createProcessorLogger(log, context, taken, { ...own, ...fields }),
  };
};
