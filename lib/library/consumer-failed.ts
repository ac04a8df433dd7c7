import { AppError } from '../errors.ts';

/** Thrown when the processes of a consumer ended by themselves, or did not come up. Their log says why. */
export class ConsumerFailedError extends AppError {
  constructor(code: number | null, signal: string | null) {
    const how = signal ? `were ended by ${signal}` : `ended with exit code ${code}`;
    super(`The processes of the consumer ${how}. Their log says why.`, { code: 'consumer-failed', status: 500 });
  }
}
