/** What `npm start` and `lanekeeper dev` print: short lines for people, or JSON lines for machines. */
import { stdout } from 'node:process';
import { styleText } from 'node:util';
import boxen from 'boxen';
import { docsFile, say as sayToPeople } from '../run-tool.ts';
import { forPeople } from './lines.ts';

export type Report = {
  /** Something about a server, the API or the consumer. */
  say(name: string, line: string): void;
  /** A line that a process printed. */
  output(name: string, line: string): void;
  /** Everything runs. From now on calls are shown. */
  ready(url: string, about: { command: string; logs: string }): void;
};

const box = (url: string, { command, logs }: { command: string; logs: string }): string => {
  const demo = command === 'npm start' ? 'npm run demo' : 'npx lanekeeper demo';
  const operator = command === 'npm start' ? 'npm run operator --' : 'npx lanekeeper operator';
  const docs = docsFile('http-api.md');
  const rows = [
    ['Try it', `${url.endsWith(':3000') ? '' : `LANEKEEPER_API=${url} `}${demo}`],
    ['Console', `${url}/console`],
    ['', `an account for it: ${operator} --create NAME`],
    ['API', `${url}/docs`],
    ['Health', `curl ${url}/health`],
    ...(docs ? [['Docs', docs]] : []),
    ['Logs', logs],
    ['Stop', 'Ctrl-C'],
  ];
  const lines = rows.map(([name = '', text = '']) => `${styleText('dim', name.padEnd(8))}${text}`);
  const text = `${styleText(['bold', 'green'], `Lanekeeper runs at ${url}`)}\n\n${lines.join('\n')}`;
  return boxen(text, { padding: { left: 2, right: 2 }, borderStyle: 'round', borderColor: 'green' });
};

const reportToPeople = (verbose: boolean): Report => {
  let withCalls = false;
  return {
    say: sayToPeople,
    output: (name, line) => {
      const text = forPeople(line, name, { verbose, withCalls });
      if (text !== undefined) sayToPeople(name, text);
    },
    ready: (url, about) => {
      withCalls = true;
      stdout.write(`${box(url, about)}\n`);
    },
  };
};

const entryOf = (line: string): object => {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === 'object' && entry !== null && !Array.isArray(entry)) return entry;
  } catch {
    // A line of text.
  }
  return { msg: line };
};

/** Every line is an object with `from`: `start`, `rabbitmq`, `mongodb`, `api` or `consumer`. */
const reportToMachines = (): Report => {
  const write = (from: string, entry: object) => void stdout.write(`${JSON.stringify({ from, ...entry })}\n`);
  return {
    say: (name, line) => write(name, { msg: line }),
    output: (name, line) => write(name, entryOf(line)),
    ready: (url, { logs }) => write('start', { msg: 'ready', url, logs }),
  };
};

export const createReport = ({ verbose, json }: { verbose: boolean; json: boolean }): Report =>
  json ? reportToMachines() : reportToPeople(verbose);
