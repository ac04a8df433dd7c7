/**
 * The states of a lane hold: one worker's relation to one lane, from the subscription to the end of the channel.
 *
 * | state | means | the hold enters it with |
 * | --- | --- | --- |
 * | `opening` | the channel is being opened | no channel, no token |
 * | `standing-by` | subscribed; another worker may own the lane | a channel, no token |
 * | `acquiring` | the first delivery came: the lease is being taken and the users loaded | a channel, no token |
 * | `owned` | this worker owns the lane and starts steps | a channel and a token |
 * | `handing-over` | no step starts; those under way end, and long runs are lent out | a channel and a token |
 * | `giving-up` | no step starts; the channel stays open while runs go on that are not lent out | either, both or neither |
 * | `released` | the hold is over, and its channel is closed or about to be: final | either, both or neither |
 *
 * Each state is entered once.
 */
import type { Transitions } from '../state-machine.ts';

export type HoldState = 'opening' | 'standing-by' | 'acquiring' | 'owned' | 'handing-over' | 'giving-up' | 'released';

export const holdTransitions: Transitions<HoldState> = {
  opening: ['standing-by', 'giving-up', 'released'],
  'standing-by': ['acquiring', 'giving-up', 'released'],
  acquiring: ['owned', 'giving-up', 'released'],
  owned: ['handing-over', 'giving-up', 'released'],
  'handing-over': ['giving-up', 'released'],
  'giving-up': ['released'],
  released: [],
};

type Needs = { channel?: boolean; token?: boolean };

const needs: Record<HoldState, Needs> = {
  opening: { channel: false, token: false },
  'standing-by': { channel: true, token: false },
  acquiring: { channel: true, token: false },
  owned: { channel: true, token: true },
  'handing-over': { channel: true, token: true },
  'giving-up': {},
  released: {},
};

/** What the table above says of entering a state. @throws {Error} when it does not hold: a defect of this program. */
export const assertHolds = (state: HoldState, { channel, token }: { channel: boolean; token: number }): void => {
  const assertOne = (what: string, has: boolean, needed = has) => {
    if (has !== needed) throw new Error(`lane hold: ${state} ${has ? 'with' : 'without'} ${what}`);
  };
  assertOne('a channel', channel, needs[state].channel);
  assertOne('a fencing token', token !== 0, needs[state].token);
};
