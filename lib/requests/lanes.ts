/** Who owns which lane since when, and who took one from whom in the last hour. Its cost grows with the lanes, and not with users or viewers. */
import type { Deps } from '../deps.ts';
import { createKept } from '../kept.ts';
import { onceFor } from '../once-for.ts';
import type { LaneMove, LaneRecord, LaneStore } from '../ports.ts';
import { currentHeartbeats } from './heartbeats.ts';
import { lanesOf, type Overview } from './overview.ts';

/** `from`: the owner before; absent when the lane does not remember it, or had none. It is `to` when a worker took its lane again. */
export type Move = { at: Date; lane: number; fencingToken: number; from?: string; to: string };

export type Lanes = {
  at: Date;
  /** As in the overview. `since`: when the owner took it. `fencingToken`: of the last owner; absent when there was none. */
  lanes: (Overview['lanes'][number] & { since?: Date; fencingToken?: number })[];
  /** Of the last hour, newest first. */
  moves: Move[];
  /** How many older ones of this hour are left out. */
  moreMoves: number;
};

type LanesDeps = Pick<Deps, 'lanes' | 'workers' | 'clock'> & { config: Pick<Deps['config'], 'lanes'> };

const hourMs = 3_600_000;
/** However many look. */
const freshMs = 1_000;
/** Every lane may have moved, and some of them several times. */
const shownMoves = 1_000;

const movesOf = ({ lane, moves }: LaneRecord): Move[] => {
  const owners = new Map(moves.map(({ lease, owner }) => [lease, owner]));
  return moves.map(({ lease, owner, at }) => ({
    at,
    lane,
    fencingToken: lease,
    from: owners.get(lease - 1),
    to: owner,
  }));
};

const sinceOf = (owner: string | undefined, last: LaneMove | undefined): Date | undefined =>
  last !== undefined && last.owner === owner ? last.at : undefined;

const look = async (deps: LanesDeps): Promise<Lanes> => {
  const { lanes, clock, config } = deps;
  const now = clock.now();
  const [records, heartbeats] = await Promise.all([lanes.all(), currentHeartbeats(deps)]);
  const byLane = new Map(records.map((record) => [record.lane, record]));
  const moves = records
    .flatMap(movesOf)
    .filter(({ at }) => now.getTime() - at.getTime() <= hourMs)
    .sort((one, other) => other.at.getTime() - one.at.getTime() || other.fencingToken - one.fencingToken);
  return {
    at: now,
    lanes: lanesOf(heartbeats, config.lanes, now).map((lane) => {
      const record = byLane.get(lane.lane);
      return { ...lane, since: sinceOf(lane.owner, record?.moves.at(-1)), fencingToken: record?.lease };
    }),
    moves: moves.slice(0, shownMoves),
    moreMoves: Math.max(0, moves.length - shownMoves),
  };
};

const keptOf = onceFor((_lanes: LaneStore) => createKept<Lanes>(freshMs));

/** A process looks at most once a second, however many ask. */
export const describeLanes = (deps: LanesDeps): Promise<Lanes> =>
  keptOf(deps.lanes)(deps.clock.monotonicMs(), () => look(deps));
