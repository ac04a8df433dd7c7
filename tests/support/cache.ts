import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';

/** The path of what tests fetch once for all checkouts of a user. */
export const cacheOf = (...names: string[]): string =>
  join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lanekeeper', ...names);
