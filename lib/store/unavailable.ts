import mongoose from 'mongoose';
import { StoreUnavailableError } from '../errors.ts';

const { MongoBulkWriteError, MongoError, MongoWriteConcernError } = mongoose.mongo;

/** The driver's errors for no server, no connection, or no answer in time. By name, because not all classes are exported. */
const connectionErrors = new Set([
  'MongoNetworkError',
  'MongoNetworkTimeoutError',
  'MongoServerSelectionError',
  'MongooseServerSelectionError',
  'MongoNotConnectedError',
  'MongoServerClosedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoConnectionPoolClosedError',
  'MongoPoolClosedError',
  'MongoPoolClearedError',
  'MongoWaitQueueTimeoutError',
  'MongoStalePrimaryError',
  'MongoOperationTimeoutError',
]);

/** The server's error codes that mean the same: it is shutting down, not the primary, without a majority, or out of time. */
const unavailableCodes = new Set([
  6, 7, 24, 46, 50, 64, 89, 91, 133, 134, 189, 262, 365, 9001, 10107, 11600, 11601, 11602, 13435, 13436,
]);

const isUnavailable = (error: Error): boolean => {
  if (connectionErrors.has(error.name)) return true;
  if (!(error instanceof MongoError)) return false;
  if (error instanceof MongoWriteConcernError || error.hasErrorLabel('RetryableWriteError')) return true;
  // A bulk that failed without a write error failed its write concern.
  if (error instanceof MongoBulkWriteError && [error.writeErrors].flat().length === 0) return true;
  return unavailableCodes.has(Number(error.code));
};

/** The one place that decides which errors mean that MongoDB is unavailable. Every other error is returned unchanged. */
export const asStoreError = (error: unknown): unknown =>
  error instanceof Error && isUnavailable(error)
    ? new StoreUnavailableError(`MongoDB cannot be reached or did not answer: ${error.message}`, error)
    : error;

export const isDuplicate = (error: unknown): error is mongoose.mongo.MongoServerError =>
  error instanceof mongoose.mongo.MongoServerError && error.code === 11000;
