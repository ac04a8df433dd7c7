/** Dead letters that are retried in bulk run in the order of their `seq`, whatever is refused in between. On real servers. */
import { expect, test } from '@jest/globals';
import { type Decision, retryDeadLetter } from '../../lib/requests/dead-letters.ts';
import { decideAll, decideEach } from '../../lib/requests/decide-many.ts';
import { error, heldRuns } from '../lanes/runs.ts';
import { eventually, openWorld, type TestUser } from '../support/world.ts';

const letters = 12;
const inOrder = Array.from({ length: letters }, (_, index) => `${index + 1}`);

/** A user with 12 dead letters, and room for two pending requests. Their next runs end when the test says so. */
const openFullUser = async () => {
  const world = await openWorld({ maxPending: 2 });
  const { runRequest, of } = heldRuns();
  let isFixed = false;
  world.work(async (run) => (isFixed ? runRequest(run) : { kind: 'failed', error, reason: 'failed' }));
  const user = await world.user();
  for (let seq = 1; seq <= letters; seq += 1) {
    await world.enqueue(user, seq);
    await world.settled(user, seq);
  }
  isFixed = true;
  const endOne = async (): Promise<void> => {
    const run = await eventually('a request runs', () => of(user).find(({ ended }) => !ended));
    run.end();
    await world.settled(user, run.seq);
  };
  /** Room for one more appears just after a request was refused: the next one could take it. */
  const roomAfterRefusal: Decision = {
    ...retryDeadLetter,
    decide: (id, deps) =>
      retryDeadLetter.decide(id, deps).catch(async (refusal) => {
        await endOne();
        throw refusal;
      }),
  };
  const ran = () => of(user).map(({ body }) => body);
  const ended = () => of(user).filter((run) => run.ended).length;
  return { world, user, endOne, roomAfterRefusal, ran, ended };
};

const ofUser = ({ userId }: TestUser) => inOrder.map((seq) => ({ userId, seq: Number(seq) }));

test('twelve dead letters and two places: each call retries the first ones that have room, and they run in order', async () => {
  const { world, ran, ended, endOne, roomAfterRefusal } = await openFullUser();
  await using _world = world;
  const first = await decideAll({}, roomAfterRefusal, world.deps);
  expect(first).toEqual({ decided: 2, refused: 10, refusedBy: { 'too-many-pending': 1, 'earlier-refused': 9 } });
  let decided = first.decided;
  for (let calls = 1; decided < letters; calls += 1) {
    expect(calls).toBeLessThan(letters);
    decided += (await decideAll({}, roomAfterRefusal, world.deps)).decided;
  }
  while (ended() < letters) await endOne();
  expect(ran()).toEqual(inOrder);
});

test('listed dead letters keep their order too, and each result says why it was refused', async () => {
  const { world, user, ran, endOne, roomAfterRefusal } = await openFullUser();
  await using _world = world;
  const results = await decideEach(ofUser(user), roomAfterRefusal, world.deps);
  expect(results.map((one) => ('code' in one ? one.code : one.retriedAs))).toEqual([
    13,
    14,
    'too-many-pending',
    ...Array(9).fill('earlier-refused'),
  ]);
  await endOne();
  expect(ran()).toEqual(inOrder.slice(0, 2));
});
