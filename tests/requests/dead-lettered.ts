/** Dead letters for tests in which no worker runs. */
import type { DeadLetterReason } from '../../lib/types.ts';
import type { TestUser, World } from '../support/world.ts';

export const error = { name: 'Error', message: 'no luck' };

/** Dead-letters requests like an owner. */
export const deadLetter = async (
  { stores: { ledger } }: World,
  user: TestUser,
  kind: 'failed' | 'blocked',
  seqs: number[],
  { at = new Date(), interruptions = 0, reason = 'failed' as DeadLetterReason } = {},
): Promise<void> => {
  const base = seqs.map((seq) => ({ userId: user.userId, seq, token: 1, attempt: 1, at }));
  await ledger.commit(base.map((one) => ({ ...one, kind: 'claim', interruptions, forgiven: 0 })));
  await ledger.commit(
    base.map((one) =>
      kind === 'failed'
        ? { ...one, kind: 'settle', status: 'failed', error, reason }
        : { ...one, kind: 'block', error, reason },
    ),
  );
};

export const userWithDeadLetter = async (world: World, kind: 'failed' | 'blocked'): Promise<TestUser> => {
  const user = await world.user();
  await world.enqueue(user, 'a');
  await deadLetter(world, user, kind, [1]);
  return user;
};
