import process from 'node:process';
import { AppError } from './errors.ts';

/** Starts a process. An error of ours that keeps it from starting goes to stderr in words, without a stack, and ends the process. */
export const startOrExit = async (start: () => Promise<void>): Promise<void> => {
  try {
    await start();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
};
