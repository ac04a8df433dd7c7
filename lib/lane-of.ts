import { createHash } from 'node:crypto';

/** The lane of a new user: an even, stable hash of the user id. Written down at registration and never computed again. */
export const laneOf = (userId: string, lanes: number): number =>
  createHash('sha256').update(userId).digest().readUInt32BE(0) % lanes;
