/** docs/mongodb.md against what the stores send and what their code names, both ways. */
import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { StoreUnavailableError } from '../../lib/errors.ts';
import { openStores } from '../../lib/store/stores.ts';
import { asStoreError } from '../../lib/store/unavailable.ts';
import { filesUnder, read, root, rowsOf, section, sorted } from '../docs/support/markdown.ts';
import { mongodbUrl, uniqueName } from '../support/servers.ts';
import { everyOperation } from './every-operation.ts';

const page = read('docs/mongodb.md');
const namesIn = (heading: string): string[] => rowsOf(section(page, heading)).map(([name]) => name);

/** With every command; those that are of interest have a table of their own. */
const onEveryCommand = ['maxTimeMS', 'lsid', 'txnNumber', '$clusterTime', '$db', '$readPreference'];
const concerns = ['readConcern', 'writeConcern'];
/** The documents of a command, each with options of its own. */
const parts = ['updates', 'deletes', 'indexes'];

type Sent = { commands: Set<string>; options: Set<string>; operators: Set<string> };

const isPlain = (value: unknown): value is object =>
  Array.isArray(value) ||
  (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype);

const operatorsIn = (value: unknown): string[] =>
  isPlain(value)
    ? Object.entries(value).flatMap(([key, inner]) => [...(key.startsWith('$') ? [key] : []), ...operatorsIn(inner)])
    : [];

const note = (sent: Sent, name: string, command: Record<string, unknown>): void => {
  const own = Object.entries(command).filter(([key]) => ![...onEveryCommand, ...concerns, name].includes(key));
  sent.commands.add(name);
  for (const [option, value] of own) {
    sent.options.add(`${name}.${option}`);
    for (const operator of operatorsIn(value)) sent.operators.add(operator);
    if (!parts.includes(option)) continue;
    for (const part of value as object[]) for (const key of Object.keys(part)) sent.options.add(`${option}.${key}`);
  }
};

/** Mongoose has it, its types do not. Building indexes has a connection of its own. */
const { events } = mongoose as unknown as { events: EventEmitter };

/** What the stores send while every operation is called, one after the other and then all at the same time. */
const observe = async (): Promise<Sent> => {
  const url = new URL(mongodbUrl(uniqueName('features')));
  url.searchParams.set('monitorCommands', 'true');
  const sent: Sent = { commands: new Set(), options: new Set(), operators: new Set() };
  const watch = (connection: mongoose.Connection) =>
    connection.once('connected', () =>
      connection.getClient().on('commandStarted', ({ commandName, command }) => note(sent, commandName, command)),
    );
  await using stack = new AsyncDisposableStack();
  events.on('createConnection', watch);
  stack.defer(() => void events.off('createConnection', watch));
  const stores = openStores({ mongodbUrl: url.href, storeTimeoutMs: 20_000, autoMigrate: 1 });
  stack.defer(() => stores.close());
  stack.defer(() => stores.drop());
  await stores.ping();
  for (const operate of Object.values(everyOperation)) await operate(stores);
  await Promise.all(Object.values(everyOperation).flatMap((operate) => [operate(stores), operate(stores)]));
  return sent;
};

/** Sent only with more data than these calls leave, or when a process ends: other tests see them. */
const others = ['getMore', 'killCursors', 'endSessions'];
const isOther = (name: string): boolean => others.includes(name.split('.')[0] as string);

const source = filesUnder('lib/store', '.ts').map(read).join('\n');
const namedInCode = new Set([...source.matchAll(/(\$[a-zA-Z]+):/g)].map(([, operator = '']) => operator));

describe('docs/mongodb.md lists', () => {
  let sent: Sent;
  beforeAll(async () => {
    sent = await observe();
  }, 60_000);

  test('every command that the stores send, and no other', () => {
    const listed = namesIn('## Commands').filter((name) => !isOther(name));
    expect(sorted(listed)).toEqual(
      sorted([...sent.commands].filter((name) => !isOther(name) && name !== 'dropDatabase')),
    );
  });

  test('every option of a command and of an index, and no other', () => {
    const listed = [...namesIn('## Options of commands'), ...namesIn('## Index options')];
    const used = [...sent.options].filter((name) => !isOther(name));
    expect(sorted(listed.filter((name) => !isOther(name)))).toEqual(sorted(used));
  });

  test('every operator that is sent or that the code of the stores names, and no other', () => {
    expect(sorted(namesIn('## Operators'))).toEqual(sorted(new Set([...sent.operators, ...namedInCode])));
  });
});

/** No error has the code 0. */
const codesIn = (text: string): string[] =>
  [...text.matchAll(/\b\d{1,2}_\d{3}\b|\b[1-9]\d{0,4}\b/g)].map(([code]) => code.replace('_', ''));

test('docs/mongodb.md lists every error code that the stores know, and each unavailable one answers 503', () => {
  const unavailable = read('lib/store/unavailable.ts');
  const others = [...source.matchAll(/(?:unauthorized|namespaceNotFound) = (\d+)/g)].map(([, code = '']) => code);
  const [away = '', told = ''] = section(page, '## Error codes').split('**Other codes**');
  const awayCodes = rowsOf(away).map(([code]) => code);
  const toldCodes = rowsOf(told).map(([code]) => code);
  expect(sorted(new Set([...awayCodes, ...toldCodes]))).toEqual(sorted(new Set([...codesIn(unavailable), ...others])));
  const isAway = (code: string) =>
    asStoreError(new mongoose.mongo.MongoServerError({ message: 'x', code: Number(code) })) instanceof
    StoreUnavailableError;
  expect(awayCodes.filter((code) => !isAway(code))).toEqual([]);
  expect(toldCodes.filter(isAway)).toEqual([]);
});

test('every row of docs/mongodb.md names a test that exists', () => {
  const sections = ['## Commands', '## Options of commands', '## Operators', '## Index options'];
  const rows = [...sections, '## Concerns, sessions and retries'].flatMap((heading) => rowsOf(section(page, heading)));
  const without = rows.filter(([, cells]) => {
    const file = /`(tests\/[\w./-]+)`/.exec(cells.join('|'))?.[1];
    return !file || !existsSync(join(root, file));
  });
  expect(without.map(([name]) => name)).toEqual([]);
});
