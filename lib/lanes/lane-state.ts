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
 * | `released` | no step goes on; the channel is closed, or will be when no run of the lane goes on: final | either, both or neither |
 *
 * Each state is entered once.
 */
import type { Transitions } from '../state-machine.ts';

export type HoldState = 'opening' | 'standing-by' | 'acquiring' | 'owned' | 'handing-over' | 'released';

export const holdTransitions: Transitions<HoldState> = {
  opening: ['standing-by', 'released'],
  'standing-by': ['acquiring', 'released'],
  acquiring: ['owned', 'released'],
  owned: ['handing-over', 'released'],
  'handing-over': ['released'],
  released: [],
};

type Needs = { channel?: boolean; token?: boolean };

const needs: Record<HoldState, Needs> = {
  opening: { channel: false, token: false },
  'standing-by': { channel: true, token: false },
  acquiring: { channel: true, token: false },
  owned: { channel: true, token: true },
  'handing-over': { channel: true, token: true },
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
