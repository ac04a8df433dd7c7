/**
 * Many workers and many lanes, without users: which worker RabbitMQ offers a lane to, what the workers hear of each other, and
 * what they hand over. The decisions are the product's own code. Time passes in steps.
 */
import { heartbeatEveryMs, heartbeatValidMs } from '../../lib/heartbeat-times.ts';
import { chooseSurplus } from '../../lib/lanes/balance.ts';
import { HeardWorkers } from '../../lib/lanes/heard-workers.ts';
import { createShare, type Share } from '../../lib/lanes/share.ts';
import type { Heartbeat } from '../../lib/ports.ts';
import type { Random } from '../chaos/random.ts';

/** How long it takes until RabbitMQ has offered a lane to the next worker. */
const stepMs = 20;
/** The defaults of the product. */
const balanceMs = 2_000;
const turns = 4;
const turnMs = 250;

type Owned = { lane: number; users: { workingCount: number } };

type Member = {
  id: string;
  share: Share;
  heard: HeardWorkers;
  owned: Map<number, Owned>;
  isAlive: boolean;
  heartbeat: Heartbeat;
  /** When it next writes its heartbeat and reads those of all, and when it next compares its lanes with its share. */
  heartbeatAt: number;
  balanceAt: number;
  /** Lanes that it hands over, and when. */
  turns: { at: number; lanes: number[] }[];
};

type Lane = {
  owner: Member | undefined;
  /** The lease: each owner's is higher than the one before. */
  lease: number;
  /** In the order in which RabbitMQ offers it. The dead stay until they are found. */
  standby: Member[];
  /** When it lost its owner. */
  freeSince: number;
};

export type FleetOptions = { lanes: number; random: Random; quorum: boolean };

export const createFleet = ({ lanes: count, random, quorum }: FleetOptions) => {
  let nowMs = 0;
  let named = 0;
  let longestFreeMs = 0;
  const clock = { monotonicMs: () => nowMs };
  const heartbeats = new Map<string, Heartbeat>();
  let members: Member[] = [];
  const lanes = Array.from({ length: count }, (): Lane => ({ owner: undefined, lease: 0, standby: [], freeSince: 0 }));
  const free = new Set(lanes.keys());

  /** Of a quorum queue RabbitMQ does not say how many workers stand by. */
  const consumers = (): number | undefined => (quorum ? undefined : members.length);

  const release = (member: Member, lane: number): void => {
    member.owned.delete(lane);
    member.share.release(lane);
    lanes[lane]!.owner = undefined;
    lanes[lane]!.freeSince = nowMs;
    free.add(lane);
  };

  const offer = (index: number): void => {
    const lane = lanes[index]!;
    let next = lane.standby.shift();
    while (next && !next.isAlive) next = lane.standby.shift();
    if (!next) return;
    if (!next.share.take(index, consumers())) {
      lane.standby.push(next);
      return;
    }
    lane.owner = next;
    lane.lease += 1;
    next.owned.set(index, { lane: index, users: { workingCount: random.between(0, 3) } });
    free.delete(index);
    longestFreeMs = Math.max(longestFreeMs, nowMs - lane.freeSince);
  };

  const beat = (member: Member): void => {
    member.heartbeatAt = nowMs + heartbeatEveryMs;
    heartbeats.set(member.id, { ...member.heartbeat, lanes: [...member.owned.keys()], at: new Date(nowMs) });
    member.heard.note([...heartbeats.values()]);
    member.share.noteHeartbeats(member.heard.alive(heartbeatValidMs));
  };

  const balance = (member: Member): void => {
    member.balanceAt = nowMs + balanceMs * (0.75 + random.next() / 2);
    const surplus = chooseSurplus([...member.owned.values()], member.share.size(consumers()));
    const size = Math.ceil(surplus.length / turns);
    for (let turn = 0; turn * size < surplus.length; turn += 1) {
      const some = surplus.slice(turn * size, (turn + 1) * size).map(({ lane }) => lane);
      member.turns.push({ at: nowMs + turn * turnMs, lanes: some });
    }
  };

  const handOver = (member: Member): void => {
    const due = member.turns.filter(({ at }) => at <= nowMs);
    member.turns = member.turns.filter(({ at }) => at > nowMs);
    for (const lane of due.flatMap((turn) => turn.lanes)) {
      if (!member.owned.has(lane)) continue;
      release(member, lane);
      lanes[lane]!.standby.push(member);
    }
  };

  const step = (): void => {
    nowMs += stepMs;
    for (const member of members) {
      if (member.heartbeatAt <= nowMs) beat(member);
      if (member.balanceAt <= nowMs && member.turns.length === 0) balance(member);
      if (member.turns.length > 0) handOver(member);
    }
    for (const lane of [...free]) offer(lane);
  };

  const shares = () => members.map(({ owned }) => owned.size);

  return {
    join(added: number): void {
      const joined = Array.from({ length: added }, (): Member => {
        const id = `worker-${named++}`;
        return {
          id,
          share: createShare(clock, id, () => count),
          heard: new HeardWorkers(clock),
          owned: new Map(),
          isAlive: true,
          heartbeat: { workerId: id, lanes: [], unresponsive: [], at: new Date(nowMs) },
          heartbeatAt: nowMs + random.next() * heartbeatEveryMs,
          balanceAt: nowMs + random.next() * balanceMs,
          turns: [],
        };
      });
      members.push(...joined);
      // Each worker subscribes to the lanes in an order of its own.
      for (const lane of lanes) lane.standby.push(...random.some(joined, joined.length));
    },
    /** kill -9: their connections end at once, and their heartbeats are read until they are too old. */
    kill(count: number): void {
      for (const member of random.some(members, count)) {
        member.isAlive = false;
        for (const lane of [...member.owned.keys()]) release(member, lane);
      }
      members = members.filter(({ isAlive }) => isAlive);
    },
    /** Lets time pass until every worker has its share, and resolves to how many times each has balanced by then. */
    roundsUntilShared(longestMs: number): number {
      const from = nowMs;
      const [least, most] = [Math.floor(count / members.length), Math.ceil(count / members.length)];
      while (nowMs - from < longestMs) {
        step();
        if (free.size === 0 && shares().every((size) => size === least || size === most)) break;
      }
      return Math.ceil((nowMs - from) / balanceMs);
    },
    pass(ms: number): void {
      for (const until = nowMs + ms; nowMs < until; ) step();
    },
    shares,
    lanesWithoutOwner: () => free.size,
    leases: () => lanes.map(({ lease }) => lease),
    /** The longest that a lane had no owner since this was asked last, in ms. */
    takeLongestFreeMs(): number {
      const longest = longestFreeMs;
      longestFreeMs = 0;
      return longest;
    },
  };
};
