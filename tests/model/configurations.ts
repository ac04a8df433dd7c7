/**
 * The configurations of the model: the protocol in a small and a large bound, and the protocol without each of its
 * rules.
 */
import type { Configuration } from './check.ts';

const everyFault = [
  'WORKER_DIES',
  'FUNCTION_DIES',
  'BROKER_SILENT',
  'BROKER_WIPED',
  'HAND_OVER',
  'QUEUE_DELETED',
  'CUT_OFF',
  'EARLY_SWEEP',
];

const oneRequest = ['REQUESTS=1', 'ENQUEUE=1'];
const twoRequests = ['REQUESTS=2', 'ENQUEUE=2'];
const twoClients = ['REQUESTS=2', 'ENQUEUE=1', 'ENQUEUE_TWICE'];

export const small: Configuration[] = [
  { title: 'two requests, idle close, no fault', defines: [...twoRequests, 'IDLE_CLOSE', 'DISCONNECT'] },
  { title: 'the same key from two clients at the same time, no fault', defines: [...twoClients, 'SAME_KEY'] },
  {
    title: 'a request and a disconnect that cancels, one fault of six kinds',
    defines: [
      ...oneRequest,
      'DISCONNECT',
      'CANCEL_PENDING',
      'FAULTS=1',
      ...everyFault.filter((fault) => fault !== 'CUT_OFF' && fault !== 'BROKER_WIPED'),
    ],
  },
  { title: 'a request, a worker is cut off but alive', defines: [...oneRequest, 'FAULTS=1', 'CUT_OFF'] },
  { title: 'a request, the broker loses everything', defines: [...oneRequest, 'FAULTS=1', 'BROKER_WIPED'] },
];

export const large: Configuration[] = [
  {
    title: 'two requests and a disconnect, one fault of any kind',
    defines: [...twoRequests, 'DISCONNECT', 'FAULTS=1', ...everyFault],
  },
  {
    title: 'one request and a disconnect, two of: worker dies, worker cut off but alive',
    defines: [...oneRequest, 'DISCONNECT', 'FAULTS=2', 'WORKER_DIES', 'CUT_OFF'],
  },
  {
    title: 'one request and a disconnect, two of: worker dies, function dies, broker wiped, handover',
    defines: [...oneRequest, 'DISCONNECT', 'FAULTS=2', 'WORKER_DIES', 'FUNCTION_DIES', 'BROKER_WIPED', 'HAND_OVER'],
  },
  {
    title: 'two clients, idle close and a disconnect, one fault of: worker dies, function dies, handover',
    defines: [...twoClients, 'IDLE_CLOSE', 'DISCONNECT', 'FAULTS=1', 'WORKER_DIES', 'FUNCTION_DIES', 'HAND_OVER'],
  },
  {
    title: 'the same key from two clients and a disconnect, one function or worker dies',
    defines: [...twoClients, 'SAME_KEY', 'DISCONNECT', 'FAULTS=1', 'FUNCTION_DIES', 'WORKER_DIES'],
  },
  {
    title:
      'two requests, the disconnect cancels what is queued, one worker or function dies or the lane is handed over',
    defines: [...twoRequests, 'DISCONNECT', 'CANCEL_PENDING', 'FAULTS=1', 'WORKER_DIES', 'FUNCTION_DIES', 'HAND_OVER'],
  },
  {
    title: 'a second session logs in, enqueues and disconnects, idle close, no fault',
    defines: ['REQUESTS=2', 'ENQUEUE=1', 'DISCONNECT', 'RELOGIN', 'IDLE_CLOSE'],
  },
  {
    title: 'two requests and idle close, a worker is cut off but alive',
    defines: [...twoRequests, 'IDLE_CLOSE', 'FAULTS=1', 'CUT_OFF'],
  },
  {
    title: 'the broker drops the consumers of a dead worker in any order, two deaths',
    defines: [...oneRequest, 'DISCONNECT', 'FAULTS=2', 'WORKER_DIES', 'DEATH_SEEN_LATE'],
  },
];

/** The protocol without one rule: the configuration that shows why the rule is needed, and the assertion that fails. */
export type BrokenRule = Configuration & { rule: string; fails: RegExp };

const waits = /saw202/;
const queueOfClosedUser = /userQueueExists&&\(state/;

export const brokenRules: BrokenRule[] = [
  { rule: 'R1', title: 'a request waits for a sweep', defines: twoRequests, fails: waits },
  {
    rule: 'R2',
    title: 'a queue is left that no worker will delete',
    defines: ['REQUESTS=2', 'ENQUEUE=1', 'DISCONNECT'],
    fails: queueOfClosedUser,
  },
  {
    rule: 'R3',
    title: 'the next owner is not notified that the lane is free',
    defines: [...oneRequest, 'FAULTS=1', 'WORKER_DIES'],
    fails: /batons/,
  },
  {
    rule: 'R4',
    title: 'an old owner claims after the new one',
    defines: [...twoRequests, 'FAULTS=1', 'CUT_OFF'],
    fails: /my>=highestToken/,
  },
  {
    rule: 'R5',
    title: 'a disconnect waits for a sweep',
    defines: [...twoRequests, 'DISCONNECT'],
    fails: /sweepExcused/,
  },
  {
    rule: 'R6',
    title: 'a request whose message was lost with the queue waits for a sweep',
    defines: [...twoRequests, 'FAULTS=1', 'QUEUE_DELETED'],
    fails: waits,
  },
  {
    rule: 'R7',
    title: 'an old owner claims after the new one',
    defines: [...twoRequests, 'FAULTS=1', 'CUT_OFF'],
    fails: /my>=highestToken/,
  },
  {
    rule: 'R8',
    title: 'a request of a closed user is not noticed',
    defines: [...twoRequests, 'IDLE_CLOSE'],
    fails: waits,
  },
  {
    rule: 'R9',
    title: 'the queue of a closed user is left',
    defines: [...oneRequest, 'DISCONNECT'],
    fails: queueOfClosedUser,
  },
];

/** Both steps of closing need R8. The second step needs it only when a worker is cut off but alive. */
export const brokenHalves: BrokenRule[] = [
  {
    rule: 'R8_BEGIN',
    title: 'a user that was closed too early is stuck',
    defines: [...twoRequests, 'IDLE_CLOSE', 'DISCONNECT'],
    fails: /sweepExcused/,
  },
  {
    rule: 'R8_END',
    title: 'a stale owner closes a user that was opened again',
    defines: [...twoRequests, 'IDLE_CLOSE', 'FAULTS=1', 'CUT_OFF'],
    fails: queueOfClosedUser,
  },
];
