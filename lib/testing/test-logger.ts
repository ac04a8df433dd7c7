/** A processor's logger that keeps its lines in memory. */
import type { ProcessorLogger } from '../processor.ts';

const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** One line: its level, its message, and its fields, with those of `child`. */
export type LogLine = { level: (typeof levels)[number]; message: string | undefined; fields: Record<string, unknown> };

/** `lines` has what was logged, also by its children, in that order. */
export type TestLogger = ProcessorLogger & { lines: LogLine[] };

/**
 * Makes a logger that writes nothing and keeps every line, so that a test can look at them.
 *
 * @example
 * ```ts
 * const logger = createTestLogger();
 * await runProcessor(processor, request, { logger });
 * assert.deepEqual(logger.lines.map(({ message }) => message), ['order sent']);
 * ```
 */
export const createTestLogger = (bindings: Record<string, unknown> = {}, lines: LogLine[] = []): TestLogger => {
  const methodOf =
    (level: LogLine['level']) =>
    (first: object | string, message?: string): void => {
      const [fields, text] = typeof first === 'string' ? [{}, first] : [first, message];
      lines.push({ level, message: text, fields: { ...bindings, ...fields } });
    };
  const methods = Object.fromEntries(levels.map((level) => [level, methodOf(level)]));
  return {
    ...(methods as Pick<ProcessorLogger, LogLine['level']>),
    child: (fields) => createTestLogger({ ...bindings, ...fields }, lines),
    lines,
  };
};
