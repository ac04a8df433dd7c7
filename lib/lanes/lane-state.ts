/**
 * The states of a lane hold: one worker's relation to one lane, from the subscription to the end of the channel.
 *
 * | state | means | holds in it |
 * | --- | --- | --- |
 * | `opening` | the channel is being opened | no channel, no token |
 * | `standing-by` | subscribed; another worker may own the lane | a channel, no token |
 * | `acquiring` | the first delivery came: the lease is being taken and the users loaded | a channel |
 * | `owned` | this worker owns the lane and starts steps | a channel and a token |
 * | `handing-over` | no step starts; the ones under way end | a channel and a token |
 * | `released` | the hold is over | nothing: final |
 *
 * A hand-over that times out goes back to `owned`. Every other state is entered once.
 */
import type { Transitions } from '../state-machine.ts';

export type HoldState = 'opening' | 'standing-by' | 'acquiring' | 'owned' | 'handing-over' | 'released';

export const holdTransitions: Transitions<HoldState> = {
  opening: ['standing-by', 'released'],
  'standing-by': ['acquiring', 'released'],
  acquiring: ['owned', 'released'],
  owned: ['handing-over', 'released'],
  'handing-over': ['owned', 'released'],
  released: [],
};

/** What the table above says of a state. @throws {Error} when it does not hold: a defect of this program. */
export const assertHolds = (state: HoldState, { channel, token }: { channel: boolean; token: number }): void => {
  const needsChannel = state !== 'opening' && state !== 'released';
  const needsToken = state === 'owned' || state === 'handing-over';
  if (needsChannel && !channel) throw new Error(`lane hold: ${state} without a channel`);
  if (needsToken && token === 0) throw new Error(`lane hold: ${state} without a fencing token`);
};
