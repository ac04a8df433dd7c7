import { useState } from 'preact/hooks';
import { useChangesOfLanes, useLiveOverview } from '../live-overview.ts';
import type { Person } from '../person.ts';
import { linkTo } from '../route.ts';
import { clockTime, count, duration, plural, ranges } from '../text.ts';
import type { Lanes } from '../types.ts';
import { Empty, Failure, LiveNote, Loading, PageTitle } from '../ui.tsx';
import { useData } from '../use-data.ts';
import { LaneGrid, WorkerTable } from './overview.tsx';

const shownAtFirst = 20;
/** Lanes that one worker takes from another within this time are one row. */
const togetherMs = 60_000;

type Move = Lanes['moves'][number];
type MoveGroup = Pick<Move, 'at' | 'from' | 'to'> & { lanes: number[]; fencingToken: number };

const groupsOf = (moves: Move[]): MoveGroup[] => {
  const groups: MoveGroup[] = [];
  const newest = new Map<string, MoveGroup>();
  for (const { at, from, to, lane, fencingToken } of moves) {
    const kind = `${from} ${to} ${fencingToken === 1}`;
    const group = newest.get(kind);
    const isNear = group && Date.parse(group.at) - Date.parse(at) <= togetherMs;
    // A lane that moves to and fro has a row for each move.
    if (isNear && !group.lanes.includes(lane)) group.lanes.push(lane);
    else {
      const next = { at, from, to, lanes: [lane], fencingToken };
      newest.set(kind, next);
      groups.push(next);
    }
  }
  return groups;
};

const Worker = ({ id }: { id: string }) => <code title={id}>{id.slice(0, 8)}</code>;

const Before = ({ from, to, fencingToken }: MoveGroup) => {
  if (from !== undefined && from !== to) return <Worker id={from} />;
  const text = from === to ? 'itself' : fencingToken === 1 ? 'nobody' : 'not known';
  return <span class="dim">{text}</span>;
};

const MoveRow = ({ group }: { group: MoveGroup }) => {
  const { at, to, lanes, fencingToken } = group;
  const [lane] = lanes;
  return (
    <tr>
      <td>{clockTime(at)}</td>
      <td>
        {lanes.length === 1 ? (
          <>
            <a href={linkTo(['users'], { lane })}>{lane}</a>
            <span class="dim wide"> with fencing token {fencingToken}</span>
          </>
        ) : (
          <>
            {plural(lanes.length, 'lane')} <span class="dim wide">({ranges(lanes.toSorted((a, b) => a - b))})</span>
          </>
        )}
      </td>
      <td>
        <Before {...group} />
      </td>
      <td>
        <Worker id={to} />
      </td>
    </tr>
  );
};

const Moves = ({ moves, moreMoves }: Pick<Lanes, 'moves' | 'moreMoves'>) => {
  const [shown, setShown] = useState(shownAtFirst);
  const groups = groupsOf(moves);
  if (groups.length === 0) return <Empty>No lane has moved in the last hour.</Empty>;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Lanes</th>
            <th scope="col">From</th>
            <th scope="col">To</th>
          </tr>
        </thead>
        <tbody>
          {groups.slice(0, shown).map((group) => (
            <MoveRow key={`${group.lanes[0]} ${group.fencingToken}`} group={group} />
          ))}
        </tbody>
      </table>
      {groups.length > shown && (
        <p class="pager">
          <button type="button" onClick={() => setShown(shown + shownAtFirst)}>
            Show more: {count(groups.length - shown)} are older
          </button>
        </p>
      )}
      {moreMoves > 0 && <p class="dim">{plural(moreMoves, 'older move')} of this hour are not listed.</p>}
    </>
  );
};

const LaneTable = ({ at, lanes }: Pick<Lanes, 'at' | 'lanes'>) => (
  <table>
    <thead>
      <tr>
        <th scope="col">Lane</th>
        <th scope="col">Owner</th>
        <th scope="col">Since</th>
        <th scope="col" class="number wide">
          Fencing token
        </th>
        <th scope="col" class="number">
          Users with work
        </th>
      </tr>
    </thead>
    <tbody>
      {lanes.map(({ lane, owner, since, fencingToken, busy }) => (
        <tr key={lane}>
          <td>
            <a href={linkTo(['users'], { lane })}>{lane}</a>
          </td>
          <td>{owner === undefined ? <span class="bad">no owner</span> : <Worker id={owner} />}</td>
          <td>{since ? `${clockTime(since)}, ${duration(Date.parse(at) - Date.parse(since))} ago` : ''}</td>
          <td class="number wide">{fencingToken === undefined ? '' : count(fencingToken)}</td>
          <td class="number">{count(busy)}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

/** 1,024 rows are drawn when somebody wants them. */
const LaneByLane = ({ value }: { value: Lanes }) => {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Lane by lane</summary>
      {isOpen && <LaneTable at={value.at} lanes={value.lanes} />}
    </details>
  );
};

export const WorkersPage = ({ client }: { client: Person }) => {
  const { value, error, isLoading } = useLiveOverview();
  const lanes = useData((signal) => client.call<Lanes>('GET', 'lanes', { signal }), 'lanes', useChangesOfLanes());
  return (
    <>
      <PageTitle title="Workers and lanes">
        <LiveNote at={value?.at} />
      </PageTitle>
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && (
        <>
          <WorkerTable workers={value.workers} lanes={value.lanes} />
          <section aria-labelledby="lanes">
            <h2 id="lanes">Lanes</h2>
            <LaneGrid lanes={value.lanes} />
            {lanes.value && <LaneByLane value={lanes.value} />}
          </section>
          <section aria-labelledby="moves">
            <h2 id="moves">Moves in the last hour</h2>
            {lanes.isLoading && <Loading />}
            {lanes.error && <Failure error={lanes.error} />}
            {lanes.value && <Moves {...lanes.value} />}
          </section>
        </>
      )}
    </>
  );
};
