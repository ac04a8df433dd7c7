import process from 'node:process';
import { AppError } from './errors.ts';

/** Thrown at start when the port is taken or not allowed. */
export class CannotServeError extends AppError {
  constructor(host: string, port: number, cause: Error) {
    super(
      `Cannot serve the API on ${host}:${port} (${cause.message}). Set HOST and PORT; PORT=0 means any free port.`,
      {
        code: 'cannot-listen',
        status: 500,
        cause,
      },
    );
  }
}

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
