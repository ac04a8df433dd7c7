import { describe } from '@jest/globals';
import type { GoodHistory } from './good-history.ts';
import type { FinalEntry } from './history.ts';
import { acceptedEntries, type MutationCase, mutateOneOf, remove, testMutations } from './test-support.ts';

const setStatus = (status: FinalEntry['status']) =>
  mutateOneOf(acceptedEntries, (entry) => {
    entry.status = status;
  });

const deadLetters = ({ final }: GoodHistory): FinalEntry[] => final.ledger.filter(({ deadLetter }) => deadLetter);

const requests: MutationCase[] = [
  ['an accepted request that is still queued', 'loss', setStatus('queued')],
  ['an accepted request that is still processing', 'loss', setStatus('processing')],
  ['an accepted request under a tombstone', 'loss', setStatus('abandoned')],
  [
    'an accepted request that was cancelled although no client asked for it',
    'loss',
    mutateOneOf(acceptedEntries, (entry, history) => {
      entry.status = 'cancelled';
      remove(history, (event) => event.kind === 'cancelled' && event.userId === entry.userId);
    }),
  ],
  [
    'an accepted request that is missing in the ledger',
    'loss',
    mutateOneOf(acceptedEntries, (entry, { final }) => {
      final.ledger.splice(final.ledger.indexOf(entry), 1);
    }),
  ],
  [
    'a recorded request that no client knows of and no worker settled',
    'unsettled',
    mutateOneOf(
      (history) => history.final.ledger.filter((entry) => !acceptedEntries(history).includes(entry)),
      (entry) => {
        entry.status = 'queued';
      },
    ),
  ],
  [
    'a missing seq',
    'gap',
    mutateOneOf(
      ({ final }) => final.ledger.filter((entry) => entry.status === 'abandoned'),
      (entry, { final }) => {
        final.ledger.splice(final.ledger.indexOf(entry), 1);
      },
    ),
  ],
  [
    'one key for two requests',
    'same-key',
    mutateOneOf(
      ({ final }) => final.userQueues.filter(({ accepted }) => accepted > 1),
      ({ userId }, { final }) => {
        for (const entry of final.ledger) {
          if (entry.userId !== userId) continue;
          entry.key = 'the same';
          if (entry.status === 'abandoned') entry.status = 'cancelled';
        }
      },
    ),
  ],
];

const deadLettered: MutationCase[] = [
  [
    'a failed request that is not dead-lettered',
    'dead-letter',
    mutateOneOf(deadLetters, (entry) => {
      delete entry.deadLetter;
    }),
  ],
  [
    'a failed request that was retried twice',
    'dead-letter',
    mutateOneOf(deadLetters, (entry, { final }) => {
      for (const seq of [8, 9]) final.ledger.push({ ...entry, seq, retryOf: entry.seq });
    }),
  ],
];

const userQueues = ({ final }: GoodHistory) => final.userQueues;

const queues: MutationCase[] = [
  [
    'a queue that still exists',
    'leftover-queue',
    (history) => {
      history.final.leftOverQueues.push('user.user-0');
      return true;
    },
  ],
  [
    'a user that was not closed',
    'not-closed',
    mutateOneOf(userQueues, (userQueue) => {
      userQueue.state = 'closing';
    }),
  ],
  [
    'a user that was closed before all its requests were settled',
    'not-closed',
    mutateOneOf(userQueues, (userQueue) => {
      userQueue.settled -= 1;
    }),
  ],
];

describe('The judge of kept requests', () => {
  testMutations(requests);
});

describe('The judge of dead letters', () => {
  testMutations(deadLettered);
});

describe('The judge of queues', () => {
  testMutations(queues);
});
