import { AppError } from '../errors.ts';

/** Thrown at start when `PROCESSOR` cannot be used. */
export class ProcessorLoadError extends AppError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'bad-processor', status: 500, cause });
  }
}
