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
  err?: LoggedError;
};

type LoggedError = { message?: string; stack?: string; cause?: LoggedError };

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

/** The place of a syntax error in a file, and up to so many calls. */
const mostFrames = 6;
const isInside = (frame: string): boolean => /node:internal|[\\/]node_modules[\\/]/.test(frame);

/** Where an error comes from: the frames of its stack in the developer's own files, of the innermost cause. */
const whereFrom = (err: LoggedError | undefined): string[] => {
  if (!err) return [];
  const inCause = whereFrom(err.cause);
  if (inCause.length > 0) return inCause;
  const lines = err.stack?.split('\n') ?? [];
  // Before the error's name, the stack of a syntax error shows the line of code.
  const excerpt = /^\s*at /.test(lines[0] ?? '') || !/^(file:|\/).*:\d+$/.test(lines[0] ?? '') ? [] : lines.slice(0, 3);
  const frames = lines.filter((line) => /^\s+at /.test(line) && !isInside(line));
  return [...excerpt, ...frames.slice(0, mostFrames)].filter((line) => line.trim() !== '');
};

const dim = (text: string): string => styleText('dim', text);

/** A message often ends with that of its error. */
const withoutRepeats = ({ err, ...entry }: Entry): Entry =>
  err?.message && entry.msg?.includes(err.message) ? entry : { ...entry, err };

const entryText = (entry: Entry): string =>
  [
    format(JSON.stringify(withoutRepeats(entry))).trimEnd(),
    ...whereFrom(entry.err).map((frame) => dim(frame.trimEnd())),
  ].join('\n');

const reloadText = ({ msg = '', ms = 0 }: Entry): string | undefined => {
  if (msg.startsWith('reload done')) return `${styleText('green', 'reloaded')} in ${(ms / 1_000).toFixed(1)} s`;
  if (msg.startsWith('reload failed')) return styleText('red', 'not reloaded: the workers with the earlier code go on');
  return undefined;
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
  const isShown = show.verbose || entry.level >= warning || 'seconds' in entry;
  return reloadText(entry) ?? (isShown ? entryText(entry) : undefined);
};
