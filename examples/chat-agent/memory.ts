/** What was said to each user's agent, in an SQLite file. */
import { DatabaseSync } from 'node:sqlite';

export type Turn = { message: string; answer: string };

export type Memory = {
  /** The conversation before this message, and the answer if the message has one already. */
  recall(user: string, seq: number): { before: Turn[]; answer?: string };
  remember(user: string, seq: number, turn: Turn): void;
};

/** An agent reads no more of a conversation than this. */
const mostTurns = 100;

export const openMemory = (file: string): Memory => {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE IF NOT EXISTS turns (user TEXT, seq INTEGER, message TEXT, answer TEXT, PRIMARY KEY (user, seq))`);
  const before = database.prepare(
    'SELECT message, answer FROM turns WHERE user = ? AND seq < ? ORDER BY seq DESC LIMIT ?',
  );
  const own = database.prepare('SELECT answer FROM turns WHERE user = ? AND seq = ?');
  const write = database.prepare('INSERT OR IGNORE INTO turns (user, seq, message, answer) VALUES (?, ?, ?, ?)');
  return {
    recall: (user, seq) => ({
      before: (before.all(user, seq, mostTurns) as Turn[]).reverse(),
      answer: (own.get(user, seq) as { answer: string } | undefined)?.answer,
    }),
    remember: (user, seq, { message, answer }) => void write.run(user, seq, message, answer),
  };
};
