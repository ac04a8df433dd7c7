import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { ConfigError } from '../../lib/config.ts';
import { checkMongodbUrl, connectionOf } from '../../lib/store/client-options.ts';
import { openStores } from '../../lib/store/stores.ts';
import { readableLog } from '../support/log-lines.ts';
import { testConfig } from '../support/servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'lanekeeper-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (text: string): string => {
  const path = join(folder, 'file.pem');
  writeFileSync(path, text);
  return encodeURIComponent(path);
};

/** What the driver makes of a URL. */
const driverOptions = (mongodbUrl: string) => {
  const { url, options } = connectionOf({ mongodbUrl, storeTimeoutMs: 1_000 });
  return new mongoose.mongo.MongoClient(url, options).options;
};

describe('a connection to MongoDB', () => {
  test.each([
    'w=0&journal=false',
    'W=1&wtimeoutMS=5',
    'readConcernLevel=local&readPreference=secondaryPreferred&maxStalenessSeconds=120',
    'readpreference=nearest&readPreferenceTags=dc:east&readPreferenceTags=',
    'retryWrites=false&retryReads=false&timeoutMS=1',
    'promoteValues=false&promoteLongs=false&useBigInt64=true&raw=true&ignoreUndefined=true',
  ])('keeps its guarantees, whatever the URL asks for: %s', (query) => {
    const options = driverOptions(`mongodb://host/db?${query}`);
    expect(options.writeConcern).toMatchObject({ w: 'majority', journal: true });
    expect(options.writeConcern?.wtimeoutMS).toBeUndefined();
    expect(options.readConcern?.level).toBe('majority');
    expect(options.readPreference.toJSON()).toEqual({ mode: 'primary' });
    expect(options).toMatchObject({ retryWrites: true, retryReads: true, socketTimeoutMS: 1_000 });
    const changed = ['timeoutMS', 'promoteValues', 'promoteLongs', 'useBigInt64', 'raw', 'ignoreUndefined'];
    const kept = connectionOf({ mongodbUrl: `mongodb://host/db?${query}`, storeTimeoutMs: 1_000 }).url.toLowerCase();
    expect(changed.filter((name) => kept.includes(`${name.toLowerCase()}=`))).toEqual([]);
  });

  test('keeps the other options of the URL', () => {
    expect(driverOptions('mongodb://host/db?replicaSet=rs&appName=mine&tls=true')).toMatchObject({
      dbName: 'db',
      replicaSet: 'rs',
      appName: 'mine',
      tls: true,
    });
  });

  test('names the options that do not apply, unless they ask for the same', () => {
    const overridden = (query: string) =>
      connectionOf({ mongodbUrl: `mongodb://host/?${query}`, storeTimeoutMs: 1_000 }).overridden;
    expect(overridden('retryWrites=true&w=majority&readPreference=primary')).toEqual([]);
    expect(overridden('w=0&readpreference=nearest&timeoutMS=3')).toEqual(['w', 'readPreference', 'timeoutMS']);
    const { log, lines } = readableLog('warn');
    const { mongodbUrl } = testConfig();
    openStores({ mongodbUrl: `${mongodbUrl}&w=0`, storeTimeoutMs: 1_000 }, log);
    expect(lines).toMatchObject([{ options: ['w'], msg: 'options in MONGODB_URL do not apply: Lanekeeper sets them' }]);
  });

  test.each([
    ['mongodb://host', 'lanekeeper', undefined],
    ['mongodb://user:p%40ss@host:27017', 'lanekeeper', 'admin'],
    ['mongodb://user:pass@host/?authSource=users', 'lanekeeper', 'users'],
    ['mongodb+srv://user:pass@host.example.net/', 'lanekeeper', 'admin'],
    ['mongodb://user:pass@host/mine', 'mine', 'mine'],
    ['mongodb://user@host/?authMechanism=MONGODB-X509&tls=true', 'lanekeeper', '$external'],
  ])('has the database lanekeeper unless the URL names one: %s', (url, database, authSource) => {
    const { dbName, credentials } = driverOptions(url);
    expect([dbName, credentials?.source]).toEqual([database, authSource]);
  });
});

describe('MONGODB_URL is a configuration error', () => {
  const messageOf = (mongodbUrl: string): string => {
    try {
      checkMongodbUrl({ mongodbUrl, storeTimeoutMs: 1_000 });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    }
    return 'none';
  };

  test.each([
    ['foo=hunter2&bar=hunter2', 'foo, bar: no such option'],
    ['maxPoolSize=', 'maxPoolSize: the value is not valid'],
    ['heartbeatFrequencyMS=-1', 'heartbeatFrequencyMS: the value is not valid'],
    ['tls=true&ssl=false', 'tls, ssl: the value is not valid'],
    ['authMechanism=hunter2', 'authMechanism: the value is not valid'],
    ['compressors=hunter2', 'the value is not valid'],
    ['tls=true&tlsCAFile=/no/hunter2.pem', 'the file of tlsCAFile cannot be read (ENOENT)'],
    ['tls=true&tlsCertificateKeyFile=/no/hunter2.pem', 'the file of tlsCertificateKeyFile cannot be read (ENOENT)'],
    ['tls=true&tlsCAFile=/', 'the file of tlsCAFile cannot be read (EISDIR)'],
  ])('when an option cannot be used: %s', (query, reason) => {
    const message = messageOf(`mongodb://user:hunter2@host/db?${query}`);
    expect(message).toContain(`MONGODB_URL: ${reason.startsWith('the value') ? '' : reason}`);
    expect(message).toContain(reason);
    expect(message).not.toContain('hunter2');
  });

  test.each(['tlsCAFile', 'tlsCertificateKeyFile', 'tlsCRLFile'])(
    'when the file of %s holds something else',
    (option) => {
      expect(messageOf(`mongodb://host/db?tls=true&${option}=${fileOf('hello')}`)).toContain(
        `a file of ${option} does not`,
      );
    },
  );

  test.each(['a.b', 'a%20b', 'a/b', 'a$b', 'x'.repeat(64)])('when the database cannot have the name %s', (name) => {
    expect(messageOf(`mongodb://host/${name}`)).toContain('the name of the database');
  });
});
