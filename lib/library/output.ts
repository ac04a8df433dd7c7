/** What processes of ours print: log lines, and whatever their processor prints. */
import type { Logger } from '../log.ts';

const levels = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' } as const;

type LogLine = { level: keyof typeof levels; msg: string | undefined; fields: object };

/** `undefined` for a line that is not ours. A processor may print JSON too. */
const logLineIn = (text: string): LogLine | undefined => {
  if (!text.startsWith('{')) return undefined;
  try {
    const { level, time: _, msg, ...fields } = JSON.parse(text);
    return Object.hasOwn(levels, level) && typeof fields.role === 'string' ? { level, msg, fields } : undefined;
  } catch {
    return undefined;
  }
};

/** Log lines go to the logger as they are. What a processor prints goes where this process prints. */
export const logOutput = (log: Logger): ((text: string) => void) => {
  // An error in a line is plain data already.
  const plain = log.child({}, { serializers: { err: (err: unknown) => err } });
  return (text) => {
    const line = logLineIn(text);
    if (line) plain[levels[line.level]](line.fields, line.msg);
    else process.stdout.write(`${text}\n`);
  };
};
