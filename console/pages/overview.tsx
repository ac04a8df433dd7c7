import { Chart } from '../chart.tsx';
import { useLiveOverview, useServerNow } from '../live-overview.ts';
import { linkTo } from '../route.ts';
import { count, duration, ownerColors, plural, ranges } from '../text.ts';
import type { Overview } from '../types.ts';
import { Badge, Empty, Failure, LiveNote, Loading, PageTitle, Tile } from '../ui.tsx';

type Problem = Overview['problems'][number];

/** Where a problem is solved. */
const placeOf = ({ code, ids }: Problem): { href: string; text: string } | undefined => {
  const users = (verdict: string) => linkTo(['users'], { verdict });
  switch (code) {
    case 'blocked-users':
      return { href: users('blocked'), text: 'Who is blocked' };
    case 'stuck-users':
      return { href: linkTo(['users']), text: 'Who waits longest' };
    case 'unresponsive-runs':
      return ids?.length === 1
        ? { href: linkTo(['users', `id:${ids[0]}`]), text: 'Whose run' }
        : { href: users('unresponsive-run'), text: 'Whose runs' };
    case 'dead-letters':
      return { href: linkTo(['dead-letters']), text: 'Decide' };
    case 'lanes-without-owner':
      return { href: users('lane-without-owner,worker-hung'), text: 'Who waits' };
    case 'workers-silent':
      return { href: linkTo(['workers']), text: 'Workers' };
    default:
      return undefined;
  }
};

const Problems = ({ problems }: { problems: Problem[] }) =>
  problems.length === 0 ? (
    <p class="note good">Everything works. Nothing needs a decision.</p>
  ) : (
    <ul class="problems" aria-label="Problems">
      {problems.map((problem) => {
        const place = placeOf(problem);
        return (
          <li key={problem.code} class={problem.code === 'dead-letters' ? 'warn' : 'bad'}>
            <span>{problem.text}</span>
            {place && <a href={place.href}>{place.text}</a>}
          </li>
        );
      })}
    </ul>
  );

const LongestWaits = ({ at, users }: Overview['longestWaits']) => {
  const sinceMs = useServerNow() - Date.parse(at);
  return (
    <section aria-labelledby="waits">
      <h2 id="waits">Who waits longest</h2>
      {users.length === 0 ? (
        <Empty>Nobody has anything pending.</Empty>
      ) : (
        <ul class="rows">
          {users.map(({ userId, user, verdict, waitingMs }) => (
            <li key={userId}>
              <a href={linkTo(['users', `id:${userId}`])}>{user ?? userId}</a> <Badge code={verdict.code} />
              <span class="grow">{verdict.text}</span>
              {waitingMs !== undefined && <span class="dim number">{duration(waitingMs + sinceMs)}</span>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
};

const shades = 4;

/** 0 without work, up to 4, by the share of the busiest lane. */
const shadeOf = (busy: number, most: number): number =>
  busy === 0 ? 0 : Math.max(1, Math.ceil((busy / most) * shades));

export const LaneGrid = ({ lanes }: Pick<Overview, 'lanes'>) => {
  const owners = [...new Set(lanes.flatMap(({ owner }) => owner ?? []))].sort();
  const most = Math.max(1, ...lanes.map(({ busy }) => busy));
  return (
    <>
      <ul class="lanes">
        {lanes.map(({ lane, owner, busy }) => {
          const color = owner === undefined ? 'none' : String(owners.indexOf(owner) % ownerColors);
          const about = `Lane ${lane}: ${owner ? `worker ${owner}` : 'no owner'}, ${plural(busy, 'user')} with work`;
          return (
            <li key={lane}>
              <a
                class={`lane owner-${color} shade-${shadeOf(busy, most)}`}
                href={linkTo(['users'], { lane })}
                title={about}
                aria-label={about}
              >
                {lane}
              </a>
            </li>
          );
        })}
      </ul>
      <ul class="legend" aria-label="Owners">
        {owners.map((owner, index) => (
          <li key={owner}>
            <span class={`swatch owner-${index % ownerColors} shade-4`} /> <code>{owner.slice(0, 8)}</code>
          </li>
        ))}
        {lanes.some(({ owner }) => owner === undefined) && (
          <li>
            <span class="swatch owner-none" /> no owner
          </li>
        )}
        <li class="dim">The fuller the color, the more users have work.</li>
      </ul>
    </>
  );
};

/** A worker that is heard is heard each second. Its newest heartbeat is no news. */
const heard = ({ state, heardAt }: Overview['workers'][number], now: number): string =>
  state === 'serving' || state === 'away' ? 'now' : `${duration(now - Date.parse(heardAt))} ago`;

export const WorkerTable = ({ workers, lanes }: Pick<Overview, 'workers' | 'lanes'>) => {
  const now = useServerNow();
  return workers.length === 0 ? (
    <Empty>No worker has reported in the last hour.</Empty>
  ) : (
    <table>
      <thead>
        <tr>
          <th scope="col">Worker</th>
          <th scope="col">State</th>
          <th scope="col">Lanes</th>
          <th scope="col" class="number">
            Users with work
          </th>
          <th scope="col" class="number wide">
            Heard
          </th>
        </tr>
      </thead>
      <tbody>
        {workers.map((worker) => {
          const { workerId, state, lanes: owned, busy, unresponsive } = worker;
          const numbers = lanes.filter(({ owner }) => owner === workerId).map(({ lane }) => lane);
          return (
            <tr key={workerId}>
              <td>
                <code title={workerId}>{workerId.slice(0, 8)}</code>
              </td>
              <td>
                <Badge code={state} />
                {unresponsive > 0 && <span class="bad"> {plural(unresponsive, 'unresponsive run')}</span>}
              </td>
              <td>
                {owned} {numbers.length > 0 && <span class="dim wide">({ranges(numbers)})</span>}
              </td>
              <td class="number">{count(busy)}</td>
              <td class="number wide">{heard(worker, now)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
};

const minuteMs = 60_000;

/** The minutes of the last hour; null where nothing happened, so that no line pretends it did. */
const hourOf = ({ minutes }: Overview, last: number) => {
  const found = new Map(minutes.map((minute) => [Math.floor(Date.parse(minute.at) / minuteMs), minute]));
  const numbers = Array.from({ length: 60 }, (_, index) => last - 59 + index);
  const of = (pick: (minute: Overview['minutes'][number]) => number | undefined, otherwise: number | null) =>
    numbers.map((number) => {
      const minute = found.get(number);
      return minute ? (pick(minute) ?? otherwise) : otherwise;
    });
  return { times: numbers.map((number) => number * 60), of };
};

const Charts = ({ overview }: { overview: Overview }) => {
  const { times, of } = hourOf(overview, Math.floor(useServerNow() / minuteMs));
  return (
    <div class="pair">
      <Chart
        title="Wait from accepted to started"
        times={times}
        isLog
        format={duration}
        series={[
          { name: 'p50', color: '--series-1', values: of(({ p50 }) => p50, null) },
          { name: 'p95', color: '--series-2', values: of(({ p95 }) => p95, null) },
          { name: 'p99', color: '--series-3', values: of(({ p99 }) => p99, null) },
        ]}
      />
      <Chart
        title="Requests per minute"
        times={times}
        format={count}
        series={[
          { name: 'done', color: '--series-1', values: of(({ done }) => done, 0) },
          { name: 'failed', color: '--series-3', values: of(({ failed }) => failed, 0) },
        ]}
      />
    </div>
  );
};

const wait = (ms: number | undefined): string => (ms === undefined ? 'none' : `≤${duration(ms)}`);

const Tiles = ({ overview: { pending, waitingSince, lastHour } }: { overview: Overview }) => {
  const now = useServerNow();
  return (
    <div class="tiles">
      <Tile name="Pending" value={count(pending.requests)} href={linkTo(['users'])} />
      <Tile name="Users waiting" value={count(pending.users)} href={linkTo(['users'])} />
      <Tile
        name="Oldest wait now"
        value={waitingSince === undefined ? 'none' : duration(now - Date.parse(waitingSince))}
      />
      <Tile
        name="Dead letters"
        value={count(pending.deadLetters)}
        tone={pending.deadLetters > 0 ? 'warn' : ''}
        href={linkTo(['dead-letters'])}
      />
      <Tile name="Done, last hour" value={count(lastHour.done)} />
      <Tile name="Failed, last hour" value={count(lastHour.failed)} tone={lastHour.failed > 0 ? 'bad' : ''} />
      <Tile name="Wait p50" value={wait(lastHour.p50)} />
      <Tile name="Wait p95" value={wait(lastHour.p95)} />
      <Tile name="Wait p99" value={wait(lastHour.p99)} />
      <Tile name="Longest wait" value={wait(lastHour.longest)} />
    </div>
  );
};

export const OverviewPage = () => {
  const { value, error, isLoading } = useLiveOverview();
  return (
    <>
      <PageTitle title="Overview">
        <LiveNote at={value?.at} />
      </PageTitle>
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && (
        <>
          <Problems problems={value.problems} />
          <Tiles overview={value} />
          <LongestWaits {...value.longestWaits} />
          <Charts overview={value} />
          <section aria-labelledby="lanes">
            <h2 id="lanes">Lanes</h2>
            <LaneGrid lanes={value.lanes} />
          </section>
          <section aria-labelledby="workers">
            <h2 id="workers">Workers</h2>
            <WorkerTable workers={value.workers} lanes={value.lanes} />
          </section>
        </>
      )}
    </>
  );
};
