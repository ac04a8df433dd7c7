/** The logger of the library: lines as everywhere in Lanekeeper, with the same redaction, passed on to the caller's logger. */
import pino from 'pino';
import { createLogger, type Logger } from '../log.ts';
import type { LanekeeperOptions, LibraryLogger } from './types.ts';

const toCaller = (logger: LibraryLogger, line: string): void => {
  const { level, time: _, msg, ...fields } = JSON.parse(line) as { level: number; time: string; msg?: string };
  if (level >= 50) logger.error(fields, msg);
  else if (level >= 40) logger.warn(fields, msg);
  else if (level >= 30) logger.info(fields, msg);
  else logger.debug(fields, msg);
};

const stderr = 2;

export const loggerOf = ({ logger, logLevel }: Pick<LanekeeperOptions, 'logger' | 'logLevel'>): Logger => {
  if (logger === false) return createLogger('silent');
  const bindings = { lib: 'lanekeeper' };
  if (!logger) return createLogger(logLevel ?? 'warn', bindings, pino.destination({ dest: stderr, sync: true }));
  return createLogger(logLevel ?? 'info', bindings, { write: (line) => toCaller(logger, line) });
};
