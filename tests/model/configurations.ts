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
  'BROKER_RESTARTED',
  'HAND_OVER',
  'LEND',
  'QUEUE_DELETED',
  'QUEUE_REFUSED',
  'CUT_OFF',
  'EARLY_SWEEP',
];

const oneRequest = ['REQUESTS=1', 'ENQUEUE=1'];
const twoRequests = ['REQUESTS=2', 'ENQUEUE=2'];
const twoClients = ['REQUESTS=2', 'ENQUEUE=1', 'ENQUEUE_TWICE'];

export const small: Configuration[] = [
  { title: 'two requests, idle close, no fault', defines: [...twoRequests, 'IDLE_CLOSE', 'DISCONNECT'] },
  { title: 'the same key from two clients at the same time, no fault', defines: [...twoClients, 'SAME_KEY'] },
  { title: 'two clients in one group commit, no fault', defines: [...twoClients, 'GROUP_COMMIT'] },
  {
    title: 'a request and a disconnect that cancels, one fault of eight kinds',
    defines: [
      ...oneRequest,
      'DISCONNECT',
      'CANCEL_PENDING',
      'FAULTS=1',
      ...everyFault.filter((fault) => !['CUT_OFF', 'BROKER_WIPED', 'BROKER_RESTARTED'].includes(fault)),
    ],
  },
  { title: 'a request, a worker is cut off but alive', defines: [...oneRequest, 'FAULTS=1', 'CUT_OFF'] },
  { title: 'a request, the lane is taken away from its owner', defines: [...oneRequest, 'FAULTS=1', 'TAKEN_AWAY'] },
  { title: 'a request, the broker loses everything', defines: [...oneRequest, 'FAULTS=1', 'BROKER_WIPED'] },
  {
    title: 'two requests, the broker restarts and keeps its queues alone',
    defines: [...twoRequests, 'FAULTS=1', 'BROKER_RESTARTED'],
  },
  { title: 'two requests, a run is lent out', defines: [...twoRequests, 'FAULTS=1', 'LEND'] },
  { title: 'two requests, the lane is given up during a run', defines: [...twoRequests, 'FAULTS=1', 'GIVE_UP'] },
  { title: 'two requests, the user queue is refused', defines: [...twoRequests, 'FAULTS=1', 'QUEUE_REFUSED'] },
  {
    title: 'two requests, two of: no room for the user queue, handover',
    defines: [...twoRequests, 'FAULTS=2', 'BEYOND_CAP', 'HAND_OVER'],
  },
  {
    title: 'an interrupted request is queued again, a worker is cut off but alive',
    defines: [...oneRequest, 'REQUEUE', 'FAULTS=1', 'CUT_OFF'],
  },
  {
    title: 'an interrupted request must not run twice, a worker is cut off but alive',
    defines: [...oneRequest, 'ONCE', 'FAULTS=1', 'CUT_OFF'],
  },
  {
    title: 'two requests, a run fails, a person decides about its request',
    defines: [...twoRequests, 'FAULTS=1', 'RUN_FAILS'],
  },
  { title: 'two requests, an operator ends a run, no fault', defines: [...twoRequests, 'END'] },
];

export const large: Configuration[] = [
  {
    title: 'a login opens a connection, both enqueue, one function dies',
    defines: ['REQUESTS=2', 'ENQUEUE=1', 'RELOGIN', 'CONNECT', 'FAULTS=1', 'FUNCTION_DIES'],
  },
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
    title: 'two clients in one group commit, one function or worker dies',
    defines: [...twoClients, 'GROUP_COMMIT', 'FAULTS=1', 'FUNCTION_DIES', 'WORKER_DIES'],
  },
  {
    title: 'two clients in one group commit, the outcome of one is gone, no fault',
    defines: ['REQUESTS=3', 'ENQUEUE=1', 'ENQUEUE_TWICE', 'GROUP_COMMIT'],
  },
  {
    title: 'a second session logs in, enqueues and disconnects, idle close, no fault',
    defines: ['REQUESTS=2', 'ENQUEUE=1', 'DISCONNECT', 'RELOGIN', 'IDLE_CLOSE'],
  },
  {
    title: 'one request and a disconnect, two of: a run is lent out, worker dies',
    defines: [...oneRequest, 'DISCONNECT', 'FAULTS=2', 'LEND', 'WORKER_DIES'],
  },
  {
    title: 'one request, two of: a run is lent out, worker cut off but alive',
    defines: [...oneRequest, 'FAULTS=2', 'LEND', 'CUT_OFF'],
  },
  {
    title: 'two requests, two of: a run is lent out, the user queue is refused',
    defines: [...twoRequests, 'FAULTS=2', 'LEND', 'QUEUE_REFUSED'],
  },
  {
    title: 'one request and a disconnect, two of: the user queue is refused, worker dies',
    defines: [...oneRequest, 'DISCONNECT', 'FAULTS=2', 'QUEUE_REFUSED', 'WORKER_DIES'],
  },
  {
    title: 'one request and a disconnect, three of: no room for the user queue, worker dies',
    defines: [...oneRequest, 'DISCONNECT', 'FAULTS=3', 'BEYOND_CAP', 'WORKER_DIES'],
  },
  {
    title: 'two requests and idle close, two of: no room for the user queue, worker dies',
    defines: [...twoRequests, 'IDLE_CLOSE', 'FAULTS=2', 'BEYOND_CAP', 'WORKER_DIES'],
  },
  {
    title: 'one request and a disconnect, two of: the lane is given up, a run is lent out, worker dies',
    defines: [...oneRequest, 'DISCONNECT', 'FAULTS=2', 'GIVE_UP', 'LEND', 'WORKER_DIES'],
  },
  {
    title: 'one request, two of: the lane is given up, worker cut off but alive',
    defines: [...oneRequest, 'FAULTS=2', 'GIVE_UP', 'CUT_OFF'],
  },
  {
    title: 'one request, an operator ends its run, the lane is given up',
    defines: [...oneRequest, 'END', 'FAULTS=1', 'GIVE_UP'],
  },
  {
    title: 'an interrupted request is queued again, two requests, two of: the lane is given up, worker dies',
    defines: [...twoRequests, 'REQUEUE', 'FAULTS=2', 'GIVE_UP', 'WORKER_DIES'],
  },
  {
    title: 'an interrupted request must not run twice, two requests, two of: the lane is given up, worker dies',
    defines: [...twoRequests, 'ONCE', 'FAULTS=2', 'GIVE_UP', 'WORKER_DIES'],
  },
  {
    title: 'an interrupted request is queued again, two requests, one of: worker dies, cut off, a run is lent out',
    defines: [...twoRequests, 'REQUEUE', 'FAULTS=1', 'WORKER_DIES', 'CUT_OFF', 'LEND'],
  },
  {
    title: 'an interrupted request is queued again, two of: worker dies, worker cut off but alive, a run is lent out',
    defines: [...oneRequest, 'REQUEUE', 'FAULTS=2', 'WORKER_DIES', 'CUT_OFF', 'LEND'],
  },
  {
    title: 'an interrupted request must not run twice, two requests, one of: worker dies, cut off, a run is lent out',
    defines: [...twoRequests, 'ONCE', 'FAULTS=1', 'WORKER_DIES', 'CUT_OFF', 'LEND'],
  },
  {
    title:
      'an interrupted request must not run twice, two of: worker dies, worker cut off but alive, a run is lent out',
    defines: [...oneRequest, 'ONCE', 'FAULTS=2', 'WORKER_DIES', 'CUT_OFF', 'LEND'],
  },
  {
    title: 'a disconnect cancels, two of: a run fails and a person decides, worker dies',
    defines: [...oneRequest, 'DISCONNECT', 'CANCEL_PENDING', 'FAULTS=2', 'RUN_FAILS', 'WORKER_DIES'],
  },
  {
    title: 'two requests, two of: a run fails and a person decides, a run is lent out',
    defines: [...twoRequests, 'FAULTS=2', 'RUN_FAILS', 'LEND'],
  },
  {
    title: 'one request, two of: a run fails and a person decides, worker cut off but alive',
    defines: [...oneRequest, 'FAULTS=2', 'RUN_FAILS', 'CUT_OFF'],
  },
  {
    title:
      'one request, an operator ends its run, one of: a run fails and a person decides, a run is lent out, worker dies',
    defines: [...oneRequest, 'END', 'FAULTS=1', 'RUN_FAILS', 'LEND', 'WORKER_DIES'],
  },
  {
    title: 'one request, an operator ends its run, a worker is cut off but alive',
    defines: [...oneRequest, 'END', 'FAULTS=1', 'CUT_OFF'],
  },
  {
    title: 'two requests and idle close, a worker is cut off but alive',
    defines: [...twoRequests, 'IDLE_CLOSE', 'FAULTS=1', 'CUT_OFF'],
  },
  {
    title: 'two requests and idle close, the lane is taken away from its owner',
    defines: [...twoRequests, 'IDLE_CLOSE', 'FAULTS=1', 'TAKEN_AWAY'],
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
  {
    rule: 'R10',
    title: 'a request in a refused queue waits for a sweep',
    defines: [...twoRequests, 'FAULTS=1', 'QUEUE_REFUSED'],
    fails: waits,
  },
  {
    rule: 'R11',
    title: 'a lent request is claimed while it runs',
    defines: [...twoRequests, 'FAULTS=1', 'LEND'],
    fails: /everCutOff/,
  },
  {
    rule: 'R12',
    title: 'a request behind a lent one waits for a sweep',
    defines: [...twoRequests, 'FAULTS=1', 'LEND'],
    fails: waits,
  },
  {
    rule: 'R14',
    title: 'a request whose run was ended runs again',
    defines: [...oneRequest, 'END', 'FAULTS=1', 'WORKER_DIES'],
    fails: /endAsked/,
  },
  {
    rule: 'R15',
    title: 'a request in a queue that is deleted beyond the cap waits for a sweep',
    defines: [...twoRequests, 'FAULTS=2', 'BEYOND_CAP', 'HAND_OVER'],
    fails: waits,
  },
  {
    rule: 'R16',
    title: 'a run goes on while the next owner starts one',
    defines: [...twoRequests, 'FAULTS=1', 'GIVE_UP'],
    fails: /running/,
  },
];

/** The protocol without a step or a condition that is a part of a rule, or that has no number. */
export const brokenParts: BrokenRule[] = [
  {
    rule: 'OUTCOME',
    title: 'a call of a group commit takes what the document says later for its own ticket',
    defines: [...twoClients, 'GROUP_COMMIT'],
    fails: /status\[seq\]==/,
  },
  {
    rule: 'R8_BEGIN',
    title: 'a user that was closed too early is stuck',
    defines: [...twoRequests, 'IDLE_CLOSE', 'DISCONNECT'],
    fails: /sweepExcused/,
  },
  {
    rule: 'R10_MARK',
    title: 'functions go on publishing to a refused queue',
    defines: [...twoRequests, 'FAULTS=1', 'QUEUE_REFUSED'],
    fails: waits,
  },
  {
    rule: 'R10_REFRESH',
    title: 'a request that was published before the refusal is not noticed',
    defines: [...twoRequests, 'FAULTS=1', 'QUEUE_REFUSED'],
    fails: waits,
  },
  {
    rule: 'R15_MARK',
    title: 'functions go on publishing to a queue that is deleted beyond the cap',
    defines: [...twoRequests, 'FAULTS=2', 'BEYOND_CAP', 'HAND_OVER'],
    fails: waits,
  },
  {
    rule: 'R15_REFRESH',
    title: 'a request that was published before its user was beyond the cap is not noticed',
    defines: [...twoRequests, 'FAULTS=2', 'BEYOND_CAP', 'HAND_OVER'],
    fails: waits,
  },
  {
    rule: 'TAKE_OVER_STATUS',
    title: 'a request is queued again after its late settlement',
    defines: [...oneRequest, 'REQUEUE', 'FAULTS=1', 'CUT_OFF'],
    fails: /status\[next\]>=/,
  },
  {
    rule: 'TAKE_OVER_STATUS',
    title: 'a request is given up after its late settlement',
    defines: [...oneRequest, 'ONCE', 'FAULTS=1', 'CUT_OFF'],
    fails: /status\[next\]>=/,
  },
  {
    rule: 'R11_TAKE_OVER',
    title: 'a lent request is queued again while it runs',
    defines: [...twoRequests, 'REQUEUE', 'FAULTS=1', 'LEND'],
    fails: /everCutOff|running/,
  },
  {
    rule: 'R11_TAKE_OVER',
    title: 'a lent request is given up while it runs',
    defines: [...twoRequests, 'ONCE', 'FAULTS=1', 'LEND'],
    fails: /everCutOff|running/,
  },
  {
    rule: 'ONCE',
    title: 'a request that must not run twice runs again',
    defines: [...oneRequest, 'ONCE', 'FAULTS=1', 'WORKER_DIES'],
    fails: /ran&/,
  },
  {
    rule: 'DECIDE',
    title: 'a request is cancelled while it runs',
    defines: [...oneRequest, 'FAULTS=1', 'RUN_FAILS'],
    fails: /everCutOff/,
  },
  {
    rule: 'DECIDE_WAKE',
    title: 'a decided request waits for a sweep',
    defines: [...oneRequest, 'FAULTS=1', 'RUN_FAILS'],
    fails: waits,
  },
  {
    rule: 'GONE',
    title: 'a run goes on beside the next one when its retiring worker counts as gone too early',
    defines: [...twoRequests, 'END'],
    fails: /running/,
  },
  {
    rule: 'KEEPS',
    title: 'a login keeps the queue open whose connection has ended',
    defines: ['REQUESTS=2', 'ENQUEUE=1', 'RELOGIN', 'CONNECT'],
    fails: /sweepExcused/,
  },
];

/** The same, where the search takes longer: an old owner must be cut off at the right moment. */
export const brokenPartsFoundLate: BrokenRule[] = [
  {
    rule: 'R8_END',
    title: 'a stale owner closes a user that was opened again',
    defines: [...twoRequests, 'IDLE_CLOSE', 'FAULTS=1', 'CUT_OFF'],
    fails: queueOfClosedUser,
  },
  {
    rule: 'R7_TAKE_OVER',
    title: 'an old owner queues a request again that the new one has claimed',
    defines: [...oneRequest, 'REQUEUE', 'FAULTS=2', 'CUT_OFF'],
    fails: /my>=highestToken/,
  },
  {
    rule: 'R7_TAKE_OVER',
    title: 'an old owner gives a request up that the new one has claimed',
    defines: [...oneRequest, 'ONCE', 'FAULTS=2', 'CUT_OFF'],
    fails: /my>=highestToken/,
  },
];
