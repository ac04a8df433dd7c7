/** For developers: users race, a worker is killed, and everybody sees that the order was kept. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { isJson, notJson } from '../json.ts';
import { useLiveOverview } from '../live-overview.ts';
import type { Person } from '../person.ts';
import { useSource } from '../source.ts';
import { clockTime, count, duration, plural } from '../text.ts';
import { type Kill, mostUsers, type Plan, Race } from '../try-it/race.ts';
import type { Racer } from '../try-it/racer.ts';
import { ActionButton, Badge, Empty, errorText, PageTitle, Tile } from '../ui.tsx';

const mostInBurst = 1_000;

type NumberFieldProps = { name: string; min: number; max: number; value: number; set(value: number): void };

const NumberField = ({ name, min, max, value, set }: NumberFieldProps) => (
  <label>
    {name}
    <input
      type="number"
      min={min}
      max={max}
      required
      value={value}
      onInput={({ currentTarget }) => set(Number(currentTarget.value))}
    />
  </label>
);

const PlanForm = ({ race }: { race: Race }) => {
  const [users, setUsers] = useState(6);
  const [burst, setBurst] = useState(200);
  const [text, setText] = useState('{ "hello": "lanes" }');
  const [again, setAgain] = useState(true);
  const isGood = isJson(text);
  const isBusy = race.phase === 'starting' || race.phase === 'racing' || race.phase === 'leaving';
  const start = (event: SubmitEvent): void => {
    event.preventDefault();
    void race.start({ users, burst, request: JSON.parse(text), again } satisfies Plan);
  };
  return (
    <form class="enqueue" aria-label="The race" onSubmit={start}>
      <div class="filters">
        <NumberField name="Users" min={2} max={mostUsers} value={users} set={setUsers} />
        <NumberField name="Requests in a burst" min={1} max={mostInBurst} value={burst} set={setBurst} />
        <label class="grow body">
          Each request, as JSON: what your processor expects
          <textarea
            rows={1}
            value={text}
            spellcheck={false}
            aria-invalid={!isGood}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
      </div>
      <div class="head">
        <button type="submit" class="main" disabled={isBusy || !isGood}>
          {race.phase === 'starting' ? 'Users register…' : 'Start the race'}
        </button>
        <button type="button" disabled={!race.isSending || race.phase !== 'racing'} onClick={() => race.stopSending()}>
          Stop sending
        </button>
        <button
          type="button"
          disabled={race.racers.length === 0 || race.phase === 'leaving'}
          onClick={() => void race.leave()}
        >
          Clean up
        </button>
        <label class="check">
          <input type="checkbox" checked={again} onChange={({ currentTarget }) => setAgain(currentTarget.checked)} />
          burst after burst, until you stop
        </label>
        {!isGood && <span class="bad">{notJson}</span>}
      </div>
    </form>
  );
};

const Totals = ({ race }: { race: Race }) => {
  const settled = race.sum(({ score }) => score.settled);
  const done = race.sum(({ score }) => score.done);
  const accepted = race.sum(({ score }) => score.accepted);
  const faults = race.sum(({ score }) => score.faults.length);
  const again = race.sum(({ score }) => score.again);
  const longest = Math.max(0, ...race.racers.map(({ score }) => score.longestMs));
  return (
    <div class="tiles">
      <Tile name="Sent" value={count(accepted)} />
      <Tile name="Settled" value={count(settled)} />
      {settled > done && <Tile name="Failed" value={count(settled - done)} tone="warn" />}
      <Tile name="Per second" value={race.phase === 'racing' ? count(Math.round(race.rate)) : '–'} />
      <Tile name="Longest pause" value={settled === 0 ? '–' : duration(longest)} />
      <Tile name="Ran again" value={count(again)} />
      <Tile
        name="Out of order"
        value={settled === 0 ? '–' : faults === 0 ? 'none' : count(faults)}
        tone={faults > 0 ? 'bad' : settled > 0 ? 'good' : ''}
      />
    </div>
  );
};

const Swatch = ({ race, workerId }: { race: Race; workerId: string | undefined }) => (
  <span class={`swatch owner-${workerId === undefined ? 'none' : race.colorOf(workerId)}`} />
);

const Workers = ({ race }: { race: Race }) => {
  const workers = race.overview?.workers.filter(({ state }) => state !== 'gone') ?? [];
  return (
    <section aria-labelledby="workers">
      <h2 id="workers">Workers</h2>
      <ul class="rows">
        {workers.map(({ workerId, state, lanes, busy }) => (
          <li key={workerId}>
            <Swatch race={race} workerId={workerId} />
            <code title={workerId}>{workerId.slice(0, 8)}</code>
            <Badge code={state} />
            <span class="grow dim">
              {plural(lanes, 'lane')}, {plural(busy, 'user')} with work
            </span>
            <ActionButton
              kind="danger"
              label={`Kill worker ${workerId.slice(0, 8)}`}
              disabled={state !== 'serving'}
              act={async () => {
                await race.killWorker(workerId);
                return undefined;
              }}
            >
              Kill
            </ActionButton>
          </li>
        ))}
      </ul>
    </section>
  );
};

/** Who stood still the longest since the kill, of those whose lane the worker owned. */
const slowest = (race: Race, kill: Kill): Racer | undefined =>
  race.racers
    .filter(({ lane, score }) => kill.lanes.includes(lane) && score.longestSinceMs > 0)
    .sort((one, other) => other.score.longestSinceMs - one.score.longestSinceMs)[0];

const KillReport = ({ race, kill }: { race: Race; kill: Kill }) => {
  const racer = slowest(race, kill);
  const concerned = race.racers.filter(({ lane }) => kill.lanes.includes(lane));
  const faults = race.sum(({ score }) => score.faults.length);
  const isGood = kill.ownedAfterMs !== undefined && faults === 0;
  return (
    <section aria-labelledby="kill" class={`verdict ${faults > 0 ? 'bad' : ''}`}>
      <h2 id="kill">What happened when you killed worker {kill.workerId.slice(0, 8)}</h2>
      <ol class="timeline">
        <li class="bad">
          {clockTime(kill.at)}: killed (SIGKILL). It owned {plural(kill.lanes.length, 'lane')}
          {concerned.length > 0 && `, with ${concerned.map(({ name }) => name).join(', ')}`}.
        </li>
        {concerned.length > 0 && (
          <li class={racer ? 'good' : 'warn'}>
            {racer
              ? `Their work went on elsewhere. ${racer.name} stood still the longest: ${duration(racer.score.longestSinceMs)}.`
              : 'Nothing of these users has been settled since.'}
          </li>
        )}
        <li class={kill.ownedAfterMs === undefined ? 'warn' : 'good'}>
          {kill.ownedAfterMs === undefined
            ? 'Its lanes go to other workers…'
            : `The heartbeats of the others, one each second, named all of its lanes ${duration(kill.ownedAfterMs)} after your click.`}
        </li>
        <li class={faults > 0 ? 'bad' : 'good'}>
          {faults > 0
            ? `${plural(faults, 'request')} did not keep the order: see below.`
            : 'No request was lost, settled twice or overtaken.'}
        </li>
      </ol>
      {isGood && <p class="good">The failover is over, and the order was kept.</p>}
    </section>
  );
};

const Row = ({ race, racer }: { race: Race; racer: Racer }) => {
  const { name, lane, score } = racer;
  const owner = race.ownerOf(lane);
  const { settled, accepted, faults, marks, trouble } = score;
  const isInOrder = faults.length === 0;
  return (
    <li class="racer">
      <span class="head">
        <strong>{name}</strong>
        <span class="dim" title={owner ? `worker ${owner}` : 'no owner'}>
          <Swatch race={race} workerId={owner} /> lane {lane}
        </span>
      </span>
      <progress max={Math.max(1, accepted)} value={settled} aria-label={`Settled of ${name}`} />
      <span class="number counts">
        {count(settled)} of {count(accepted)}
      </span>
      <span class={`order ${isInOrder ? 'good' : 'bad'}`}>{isInOrder ? '✓ in order' : '✗ not in order'}</span>
      <span class="strip" aria-hidden="true">
        {marks.map(({ seq, isGood, attempts }) => (
          <span
            key={seq}
            class={`mark ${isGood ? '' : 'wrong'} ${attempts > 1 ? 'again' : ''}`}
            title={`request ${seq}${attempts > 1 ? `, ${attempts} runs` : ''}`}
          />
        ))}
      </span>
      {trouble && <span class="warn fault">{trouble}</span>}
      {faults.map(({ seq, text }) => (
        <span key={`${seq} ${text}`} class="bad fault">
          Request {seq} {text}.
        </span>
      ))}
    </li>
  );
};

export const TryItPage = ({ client }: { client: Person }) => {
  const race = useMemo(() => new Race(client), [client]);
  useSource(race.changes);
  const { value: overview } = useLiveOverview();
  useEffect(() => {
    if (overview) race.see(overview);
  }, [race, overview]);
  useEffect(() => {
    const over = new AbortController();
    const leave = () => void race.leave();
    addEventListener('pagehide', leave, { signal: over.signal });
    return () => {
      over.abort();
      leave();
    };
  }, [race]);
  return (
    <>
      <PageTitle title="Try it">
        <span class="dim">development only: users race, you kill a worker, nobody loses their place</span>
      </PageTitle>
      <PlanForm race={race} />
      {race.error && (
        <p class="note bad" role="alert">
          {errorText(race.error)}
        </p>
      )}
      <Workers race={race} />
      {race.kill && <KillReport race={race} kill={race.kill} />}
      <section aria-labelledby="race">
        <h2 id="race">Race</h2>
        {race.racers.length === 0 ? (
          <Empty>
            {race.phase === 'starting'
              ? 'Users register and log in…'
              : 'Start the race: each user gets an account and sends requests. Then kill a worker.'}
          </Empty>
        ) : (
          <>
            <Totals race={race} />
            <ol class="race">
              {race.racers.map((racer) => (
                <Row key={racer.name} race={race} racer={racer} />
              ))}
            </ol>
            <p class="legend">
              <span class="dim">Each square is a settled request, the newest on the right. Checked as it comes:</span>
              <span>
                <span class="mark" /> in order
              </span>
              <span>
                <span class="mark again" /> in order, and ran again after an interruption
              </span>
              <span>
                <span class="mark wrong" /> not in order
              </span>
            </p>
            {race.phase === 'over' && (
              <p class="note good" role="status">
                Everything that was sent is settled. “Clean up” ends the sessions and deletes the queues.
              </p>
            )}
          </>
        )}
      </section>
    </>
  );
};
