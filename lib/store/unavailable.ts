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

const maxTimeExpired = 50;
/** The server's error codes that mean the same: it is shutting down, not the primary, without a majority, or out of time. */
const awayCodes = [6, 7, 24, 46, maxTimeExpired, 64, 89, 91, 112, 133, 134, 189, 202, 262, 365, 9001];
const notPrimaryCodes = [10_107, 11_600, 11_601, 11_602, 13_435, 13_436, 91_331];

/** It refuses for now: no disk, no quota, too many calls, writes blocked by a person, log in again. */
const refusedForNow = {
  outOfDiskSpace: 14_031,
  /** Of Atlas, which has no others: mostly a quota. */
  atlas: 8_000,
  /** Of Cosmos DB. */
  tooManyRequests: 16_500,
  tooManyLogicalSessions: 261,
  tooManyFilesOpen: 264,
  userWritesBlocked: 371,
  reauthenticationRequired: 391,
  resourceExhausted: 402,
  connectionAcquisitionTimedOut: 407,
  admissionQueueOverflow: 433,
  rateLimitExceeded: 449,
  connectionAcquisitionRejected: 450,
  ingressRateLimitExceeded: 462,
};

const unavailableCodes = new Set([...awayCodes, ...notPrimaryCodes, ...Object.values(refusedForNow)]);

/** How servers mark what may succeed later. */
const passingLabels = ['RetryableWriteError', 'RetryableError', 'SystemOverloadedError'];

const isUnavailable = (error: Error): boolean => {
  if (connectionErrors.has(error.name)) return true;
  if (!(error instanceof MongoError)) return false;
  if (error instanceof MongoWriteConcernError || passingLabels.some((label) => error.hasErrorLabel(label))) return true;
  // A bulk that failed without a write error failed its write concern.
  if (error instanceof MongoBulkWriteError && [error.writeErrors].flat().length === 0) return true;
  return unavailableCodes.has(Number(error.code));
};

/** The one place that decides which errors mean that MongoDB is unavailable. Every other error is returned unchanged. */
export const asStoreError = (error: unknown): unknown =>
  error instanceof Error && isUnavailable(error)
    ? new StoreUnavailableError(`MongoDB cannot be reached or did not answer: ${error.message}`, error)
    : error;

/** Whether the server gave an operation up after its `maxTimeMS`. */
export const tookTooLong = (error: unknown): boolean =>
  error instanceof MongoError && Number(error.code) === maxTimeExpired;

/** Whether the connection broke, or the server is not the primary any more: another one may take the operation at once. */
export const isElection = (error: unknown): boolean =>
  error instanceof MongoError && (error.name === 'MongoNetworkError' || notPrimaryCodes.includes(Number(error.code)));

export const isDuplicate = (error: unknown): error is mongoose.mongo.MongoServerError =>
  error instanceof mongoose.mongo.MongoServerError && error.code === 11000;

/**
 * Which documents of a bulk the server refused, by their place in it. None when the bulk failed for another reason: then nobody knows
 * what became of the others.
 */
export const refusedIn = (error: unknown): number[] => {
  if (!(error instanceof MongoBulkWriteError) || isUnavailable(error)) return [];
  if (error.result.getWriteConcernError()) return [];
  return [error.writeErrors].flat().map(({ index }) => index);
};

/** Whether no server could be reached, so that every operation fails. One that was reached and did not answer is another matter. */
export const isUnreachable = ({ cause }: StoreUnavailableError): boolean =>
  cause instanceof Error && connectionErrors.has(cause.name) && cause.name !== 'MongoNetworkTimeoutError';
