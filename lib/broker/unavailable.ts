import { BrokerRefusedError, BrokerUnavailableError } from '../errors.ts';

/** @throws {BrokerUnavailableError} when RabbitMQ refuses, or the channel or connection is gone. */
export const orUnavailable = async <T>(what: string, answer: Promise<T>): Promise<T> => {
  try {
    return await answer;
  } catch (error) {
    throw new BrokerUnavailableError(`RabbitMQ did not ${what}.`, error);
  }
};

/** The method that made the server close a channel, as AMQP numbers it. */
type Method = { classId: number; methodId: number };

export const basicConsume: Method = { classId: 60, methodId: 20 };
export const queueDelete: Method = { classId: 50, methodId: 40 };
export const notFound = 404;
export const preconditionFailed = 406;

/** Whether the server itself refused, with a number and a text. A lost connection has neither. */
export const isRefusal = (error: unknown): boolean => typeof (error as { code?: unknown }).code === 'number';

/** Whether the server refused this very method. It may also close a channel for a reason of its own while a call waits. */
export const isRefusalOf = (error: unknown, method: Method): error is Error & { code: number } => {
  const { classId, methodId } = error as Partial<Method>;
  return isRefusal(error) && classId === method.classId && methodId === method.methodId;
};

/** @param what completes "RabbitMQ refused to". The text of the cause has the server's code and reason. */
export const refused = (what: string, cause: unknown): BrokerRefusedError => {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BrokerRefusedError(`RabbitMQ refused to ${what}: ${reason}`, cause);
};
