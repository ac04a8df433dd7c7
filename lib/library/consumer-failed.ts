import { AppError } from '../errors.ts';

/** Thrown when the processes of a consumer ended by themselves, or did not come up. Their log says why. */
export class ConsumerFailedError extends AppError {
  constructor(code: number | null, signal: string | null, cause?: unknown) {
    const how = signal ? `were ended by ${signal}` : `ended with exit code ${code}`;
    const what = cause ? 'could not be started' : `${how}. Their log says why`;
    super(`The processes of the consumer ${what}.`, { code: 'consumer-failed', status: 500, cause });
  }
}
