/** What `npm start` prints of what its processes log: each call in one line, and log entries in a form for people. */
import { stdout } from 'node:process';
import { styleText } from 'node:util';
import pretty from 'pino-pretty';

type Entry = {
  level: number;
  msg?: string;
  method?: string;
  path?: string;
  status?: number;
  ms?: number;
  code?: string;
};

const warning = 40;
const format = pretty.prettyFactory({
  colorize: stdout.isTTY && pretty.isColorSupported,
  singleLine: true,
  ignore: 'time,pid,hostname,role,worker',
  errorLikeObjectKeys: [],
  customPrettifiers: { err: (error) => (error as Partial<Error>).message ?? JSON.stringify(error) },
});

const parse = (line: string): Entry | undefined => {
  try {
    const entry = JSON.parse(line);
    return typeof entry?.level === 'number' ? entry : undefined;
  } catch {
    return undefined;
  }
};

const callLine = ({ method, path = '(no such route)', status = 0, ms, code }: Entry): string => {
  const color = status >= 500 ? 'red' : status >= 400 ? 'yellow' : 'green';
  return `${method} ${path} ${styleText(color, String(status))} ${ms} ms${code ? ` ${styleText('dim', code)}` : ''}`;
};

/**
 * A line of the API or the consumer as people see it; `undefined` when it is for the log file alone. That is what the
 * processes do in normal operation, but not the end of an outage (`seconds`); and the text of serverless-offline, which lists
 * all functions and every call once more.
 */
export const forPeople = (line: string, name: string, show: { verbose: boolean; withCalls: boolean }) => {
  const entry = parse(line);
  if (!entry) return show.verbose || (name !== 'api' && line.trim() !== '') ? line : undefined;
  if (entry.msg === 'http') return show.withCalls ? callLine(entry) : undefined;
  return show.verbose || entry.level >= warning || 'seconds' in entry ? format(line).trimEnd() : undefined;
};
