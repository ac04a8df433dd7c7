/** The ledger: the `requests` collection. */
import type { LedgerStore } from '../ports.ts';
import type { Execute } from './connection.ts';
import { deadLetterStore } from './dead-letters.ts';
import { ledgerReads } from './ledger-reads.ts';
import { ledgerWrites } from './ledger-writes.ts';

export const ledgerStore = (execute: Execute): LedgerStore => {
  const reads = ledgerReads(execute);
  return { ...reads, ...ledgerWrites(execute, reads.readWork), ...deadLetterStore(execute) };
};
