import { BrokerUnavailableError } from '../errors.ts';

/** @throws {BrokerUnavailableError} when RabbitMQ refuses, or the channel or connection is gone. */
export const orUnavailable = async <T>(what: string, answer: Promise<T>): Promise<T> => {
  try {
    return await answer;
  } catch (error) {
    throw new BrokerUnavailableError(`RabbitMQ did not ${what}.`, error);
  }
};
