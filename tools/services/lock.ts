import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from './private-server.ts';

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
 * Runs `work` alone among all processes that name the same file. By hand, with SQLite's lock, because the system frees it
 * when its holder dies. A library's lock file would have to be recognized as stale, and two processes could do so at once.
 */
export const withLock = async <T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> => {
  makeFolder(dirname(file));
  const database = new DatabaseSync(file);
  try {
    for (let hasWaited = false; !tryLock(database); hasWaited = true) {
      if (!hasWaited) onWait();
      await sleep(100);
    }
    return await work();
  } finally {
    database.close();
  }
};
