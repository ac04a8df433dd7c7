/** How Lanekeeper connects to MongoDB, whatever the options in the URL say. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConnectionString } from 'mongodb-connection-string-url';
import mongoose from 'mongoose';
import { type Config, ConfigError } from '../config.ts';

type StoreConfig = Pick<Config, 'mongodbUrl' | 'storeTimeoutMs'>;

const defaultDatabase = 'lanekeeper';
/** What MongoDB allows on every system, behind the slash of the path. */
const databaseName = /^\/[^/\\. "$*<>:|?\0]{1,63}$/;

/**
 * Write concern: what is accepted must survive a failover, so majority and journal. Read concern: majority too, or an owner could pass
 * over an entry whose settlement is rolled back later. Read preference: a secondary could answer with an old lease [R4].
 */
const guarantees = {
  w: 'majority',
  journal: true,
  readConcernLevel: 'majority',
  readPreference: 'primary',
  retryWrites: true,
  retryReads: true,
} as const;

/** They would change what the options above mean, how documents are read, or the timeouts. */
const notTaken = [
  ...[
    'wtimeoutMS',
    'timeoutMS',
    'readPreferenceTags',
    'maxStalenessSeconds',
    'fsync',
    'safe',
    'readConcern',
    'writeConcern',
  ],
  ...['promoteLongs', 'promoteValues', 'promoteBuffers', 'useBigInt64', 'bsonRegExp', 'raw', 'fieldsAsRaw'],
  ...['ignoreUndefined', 'serializeFunctions', 'checkKeys', 'enableUtf8Validation', 'forceServerObjectId', 'pkFactory'],
];

/**
 * The driver's timeouts end calls that the caller has given up. The one for server selection is a little shorter than the caller's, so
 * that the call fails with the driver's reason. The pool is small because the server's journal is the limit, not the number of
 * connections; a group commit needs one.
 */
const driverOptions = (timeoutMs: number) => ({
  ...guarantees,
  minPoolSize: 1,
  maxPoolSize: 64,
  serverSelectionTimeoutMS: Math.ceil(timeoutMs * 0.9),
  connectTimeoutMS: timeoutMs,
  waitQueueTimeoutMS: timeoutMs,
  socketTimeoutMS: timeoutMs,
});

/** No implicit work: no buffering while disconnected, no automatic creation of indexes or collections. */
export const mongooseOptions = { bufferCommands: false, autoIndex: false, autoCreate: false };

/** Without a name of a database, the driver takes `test`. The password is then still that of the database `admin`. */
const nameDatabase = (url: ConnectionString): void => {
  if (url.pathname.length > 1) return;
  url.pathname = `/${defaultDatabase}`;
  const { searchParams, username } = url;
  const mechanism = searchParams.get('authMechanism') ?? 'SCRAM-SHA-256';
  if (username !== '' && !searchParams.has('authSource') && mechanism.startsWith('SCRAM')) {
    searchParams.set('authSource', 'admin');
  }
};

/** Removes the options that Lanekeeper decides. Returns those that asked for something else. */
const removeOverridden = ({ searchParams }: ConnectionString): string[] => {
  const overridden: string[] = [];
  for (const [option, value] of [
    ...Object.entries(guarantees),
    ...notTaken.map((name) => [name, undefined] as const),
  ]) {
    const asked = searchParams.get(option);
    if (asked !== null && asked.toLowerCase() !== String(value)) overridden.push(option);
    searchParams.delete(option);
  }
  return overridden;
};

/** What to connect with. `overridden`: the options in the URL that do not apply. */
export const connectionOf = ({ mongodbUrl, storeTimeoutMs }: StoreConfig) => {
  const url = new ConnectionString(mongodbUrl);
  const overridden = removeOverridden(url);
  nameDatabase(url);
  return { url: url.toString(), options: driverOptions(storeTimeoutMs), overridden };
};

const fileOptions = ['tlsCAFile', 'tlsCertificateKeyFile', 'tlsCRLFile'] as const;

/** The driver would read the files at its first connection, again and again. */
const checkFiles = ({ searchParams }: ConnectionString): void => {
  const readFile = (option: (typeof fileOptions)[number]): Buffer | undefined => {
    const path = searchParams.get(option);
    try {
      return path === null ? undefined : readFileSync(path);
    } catch (error) {
      throw new ConfigError([
        `MONGODB_URL: the file of ${option} cannot be read (${(error as NodeJS.ErrnoException).code})`,
      ]);
    }
  };
  const [ca, cert, crl] = fileOptions.map(readFile);
  try {
    // Node ignores a text without a certificate.
    if (ca && !/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/.test(ca.toString())) throw new Error('no certificate');
    const passphrase = searchParams.get('tlsCertificateKeyFilePassword') ?? undefined;
    createSecureContext({ ca, cert, key: cert, crl, passphrase });
  } catch {
    const given = fileOptions.filter((option) => searchParams.has(option)).join(', ');
    throw new ConfigError([`MONGODB_URL: a file of ${given} does not hold what it should, or its password is wrong`]);
  }
};

/** Which options the driver complains about. Its own message may quote a value, and a value may be a secret. */
const complaint = (error: unknown, { searchParams }: ConnectionString): string => {
  const message = String((error as Error).message).toLowerCase();
  const options = [...searchParams.keys()].filter(
    (name) => /^[a-z]+$/i.test(name) && message.includes(name.toLowerCase()),
  );
  const named = options.length > 0 ? options.join(', ') : 'an option';
  const reason = message.includes('not supported')
    ? 'no such option'
    : 'the value is not valid, or not with the other options';
  return `MONGODB_URL: ${named}: ${reason}`;
};

/**
 * `connectionOf`, checked.
 *
 * @throws {ConfigError} when the name of the database or an option is not valid, or a file that one names cannot be used.
 */
export const checkMongodbUrl = (config: StoreConfig): ReturnType<typeof connectionOf> => {
  const connection = connectionOf(config);
  const { url, options } = connection;
  const parsed = new ConnectionString(url);
  if (!databaseName.test(decodeURIComponent(parsed.pathname))) {
    throw new ConfigError([
      'MONGODB_URL: the name of the database may have at most 63 characters, and none of / \\ . " $ * < > : | ? or space',
    ]);
  }
  try {
    // It reads the options, and does not connect.
    new mongoose.mongo.MongoClient(url, options);
  } catch (error) {
    throw new ConfigError([complaint(error, parsed)]);
  }
  checkFiles(parsed);
  return connection;
};
