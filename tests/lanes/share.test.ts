import { describe, expect, test } from '@jest/globals';
import { createShare, exactShare, fairShare, placesOf } from '../../lib/lanes/share.ts';

const heartbeats = (...workerIds: string[]) =>
  workerIds.map((workerId) => ({ workerId, lanes: [], unresponsive: [], at: new Date(0) }));

/** A clock that the test sets. */
const shareOf = (workerId: string, lanes: number) => {
  const time = { ms: 1_000_000 };
  return { time, share: createShare({ monotonicMs: () => time.ms }, workerId, () => lanes) };
};

describe('the size of a share', () => {
  test('the shares of workers whose ids are unknown cover all lanes', () => {
    expect([fairShare(64, 3), fairShare(64, 2), fairShare(1, 4), fairShare(64, 0)]).toEqual([22, 32, 1, 64]);
  });

  test('the shares of workers whose ids are known add up to the number of lanes, also for nine workers', () => {
    const workerIds = ['i', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'a'];
    const places = placesOf(workerIds);
    expect(workerIds.map((workerId) => exactShare(64, places, workerId))).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 8]);
    expect(exactShare(64, places, 'stranger')).toBeUndefined();
  });

  test('known ids count only when as many workers are subscribed: a worker that died is left out at once', () => {
    const { share } = shareOf('a', 63);
    share.noteHeartbeats(heartbeats('a', 'b'));
    expect([share.size(2), share.size(1), share.size(3)]).toEqual([32, 63, 21]);
  });

  test('is that of the workers that are heard, where RabbitMQ does not count them', () => {
    const { share } = shareOf('c', 64);
    expect(share.size(undefined)).toBe(64);
    share.noteHeartbeats(heartbeats('a', 'b'));
    expect(share.size(undefined)).toBe(22);
    share.noteHeartbeats(heartbeats('a', 'b', 'c'));
    expect(share.size(undefined)).toBe(21);
  });
});

describe('a lane that is delivered', () => {
  test('is kept up to the share, and passed on beyond it', () => {
    const { share } = shareOf('a', 4);
    expect([1, 2, 3].map((lane) => share.take(lane, 2))).toEqual([true, true, false]);
    share.release(1);
    expect(share.take(4, 2)).toBe(true);
  });

  test('is kept by a worker that stands by alone, and by every worker after its owner died', () => {
    const { share } = shareOf('a', 4);
    expect([1, 2, 3, 4].map((lane) => share.take(lane, 1))).toEqual([true, true, true, true]);
  });

  test('is passed on, where RabbitMQ does not count, only if a worker that is heard has fewer than its share', () => {
    const { share } = shareOf('a', 4);
    const [own] = heartbeats('a');
    const heard = (lanes: number[]) => share.noteHeartbeats([own!, { ...own!, workerId: 'b', lanes }]);
    heard([3]);
    expect([1, 2, 4].map((lane) => share.take(lane, undefined))).toEqual([true, true, false]);
    heard([3, 4]);
    expect(share.take(3, undefined)).toBe(true);
  });

  test('is kept when it is offered again at once, and passed on again later', () => {
    const { share, time } = shareOf('a', 2);
    share.take(1, 2);
    expect(share.take(2, 2)).toBe(false);
    time.ms += 1_000;
    expect(share.take(2, 2)).toBe(false);
    time.ms += 999;
    expect(share.take(2, 2)).toBe(true);
  });
});
