import { DatabaseSync } from 'node:sqlite';

/** The run that writes. `seq` makes it repeatable; `fencingToken` refuses a worker that was believed dead and is not. */
export type Writer = { userId: string; seq: number; fencingToken: number };

/** Thrown when another worker has acquired the user and written since. */
export class StaleWriterError extends Error {
  constructor(writer: Writer, newest: number) {
    super(`Fencing token ${writer.fencingToken} of ${writer.userId} is stale: ${newest} has written`);
    this.name = 'StaleWriterError';
  }
}

export type Accounts = {
  balance(userId: string): number;
  /**
   * Writes one entry for each `seq`, however often it is called, and returns the balance after it.
   *
   * @param change returns the new balance. When it throws, nothing is written.
   * @throws {StaleWriterError} when a higher fencing token has been seen.
   */
  apply(writer: Writer, change: (balance: number) => number): number;
  close(): void;
};

const schema = `
  CREATE TABLE IF NOT EXISTS accounts (userId TEXT PRIMARY KEY, balance INTEGER NOT NULL, fencingToken INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS entries (userId TEXT, seq INTEGER, balance INTEGER NOT NULL, PRIMARY KEY (userId, seq));
`;

/** Accounts in an SQLite file that several workers share. */
export const openAccounts = (file: string): Accounts => {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec(`PRAGMA journal_mode = WAL; ${schema}`);
  const readAccount = database.prepare('SELECT balance, fencingToken FROM accounts WHERE userId = ?');
  const readEntry = database.prepare('SELECT balance FROM entries WHERE userId = ? AND seq = ?');
  const writeEntry = database.prepare('INSERT INTO entries (userId, seq, balance) VALUES (?, ?, ?)');
  const writeAccount = database.prepare(
    'INSERT INTO accounts (userId, balance, fencingToken) VALUES (?, ?, ?) ' +
      'ON CONFLICT (userId) DO UPDATE SET balance = excluded.balance, fencingToken = excluded.fencingToken',
  );

  const account = (userId: string) => {
    const row = readAccount.get(userId);
    return { balance: Number(row?.balance ?? 0), fencingToken: Number(row?.fencingToken ?? 0) };
  };

  const write = (writer: Writer, change: (balance: number) => number): number => {
    const { userId, seq, fencingToken } = writer;
    const before = account(userId);
    if (fencingToken < before.fencingToken) throw new StaleWriterError(writer, before.fencingToken);
    const earlier = readEntry.get(userId, seq);
    const balance = earlier ? before.balance : change(before.balance);
    if (!earlier) writeEntry.run(userId, seq, balance);
    // Also when an earlier attempt has written: from now on, that attempt's worker is refused.
    writeAccount.run(userId, balance, fencingToken);
    return earlier ? Number(earlier.balance) : balance;
  };

  return {
    balance: (userId) => account(userId).balance,
    apply: (writer, change) => {
      // IMMEDIATE takes the write lock before it reads the token: otherwise two workers could both see a lower one.
      database.exec('BEGIN IMMEDIATE');
      try {
        const balance = write(writer, change);
        database.exec('COMMIT');
        return balance;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => database.close(),
  };
};
