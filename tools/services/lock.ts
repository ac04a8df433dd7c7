import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const tryLock = (database: DatabaseSync): boolean => {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (/locked/.test(String(error))) return false;
    throw error;
  }
};

/**
 * Runs `work` alone among all processes that name the same file. The lock is SQLite's, because the system gives that
 * back when its holder dies: a file with a pid in it would have to be judged stale, and two could judge at once.
 */
export const withLock = async <T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file);
  try {
    let hasWaited = false;
    while (!tryLock(database)) {
      if (!hasWaited) onWait();
      hasWaited = true;
      await sleep(100);
    }
    return await work();
  } finally {
    database.close();
  }
};
