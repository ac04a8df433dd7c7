/** The queue of a user in its order, and what was settled before. */
import { useState } from 'preact/hooks';
import { actOn, cancelWaiting } from './actions.ts';
import type { LiveQueue } from './live.ts';
import type { Person, Target } from './person.ts';
import { linkTo } from './route.ts';
import { clockTime, count, duration, plural } from './text.ts';
import type { RequestState } from './types.ts';
import { ActionButton, Badge, Empty } from './ui.tsx';
import { useNow } from './use-data.ts';

type Whose = { client: Person; target: Target };

/** Rows that are drawn at first, and by each click more. */
const shownAtFirst = 100;

export const requestLink = (target: Target, seq: number): string =>
  linkTo(target === undefined ? ['queue', String(seq)] : ['users', target, 'requests', String(seq)]);

const stateText = ({ status, retryAt, ending }: RequestState): string => {
  if (ending) return 'ending';
  if (status === 'processing') return retryAt ? 'between attempts' : 'running';
  return status;
};

const toneCode = (request: RequestState): string => (request.retryAt ? 'between-attempts' : request.status);

const PendingRow = ({
  client,
  target,
  request,
  place,
  now,
}: Whose & { request: RequestState; place: number; now: number }) => {
  const { seq, acceptedAt, startedAt, retryAt, status, attempts, error } = request;
  const isWaiting = status === 'queued' && attempts === 0;
  const isHeld = status === 'blocked' || retryAt !== undefined;
  const act = (what: 'retry' | 'skip' | 'cancel') => () => actOn(client, target, seq, what);
  return (
    <tr class={isWaiting ? '' : 'current'}>
      <td class="number">{place}</td>
      <td>
        <a href={requestLink(target, seq)}>Request {seq}</a>
        {error && <span class="below bad">{error.message}</span>}
      </td>
      <td>
        <Badge code={toneCode(request)}>{stateText(request)}</Badge>
        {retryAt && <span class="below dim">next attempt {clockTime(retryAt)}</span>}
        {status === 'processing' && !retryAt && startedAt && (
          <span class="below dim">for {duration(now - Date.parse(startedAt))}</span>
        )}
      </td>
      <td class="number wide">{attempts > 0 ? count(attempts) : ''}</td>
      <td class="number wide">{duration(now - Date.parse(acceptedAt))}</td>
      <td class="actions">
        {isHeld && (
          <ActionButton kind="main" act={act('retry')} label={`Retry request ${seq}`}>
            Retry
          </ActionButton>
        )}
        {isHeld && (
          <ActionButton
            act={act('skip')}
            label={`Skip request ${seq}`}
            ask={<p>Give request {seq} up? It fails, becomes a dead letter, and those behind it run.</p>}
          >
            Skip
          </ActionButton>
        )}
        {isWaiting && (
          <ActionButton act={act('cancel')} label={`Cancel request ${seq}`}>
            Cancel
          </ActionButton>
        )}
      </td>
    </tr>
  );
};

const Pending = ({ client, target, pending, total }: Whose & Pick<LiveQueue, 'pending' | 'total'>) => {
  const now = useNow();
  const [shown, setShown] = useState(shownAtFirst);
  if (pending.length === 0) return <Empty>Nothing is pending.</Empty>;
  return (
    <>
      <table>
        <thead>
          <tr>
            <th scope="col" class="number place">
              Place
            </th>
            <th scope="col">Request</th>
            <th scope="col">State</th>
            <th scope="col" class="number wide">
              Runs
            </th>
            <th scope="col" class="number wide">
              Age
            </th>
            <th scope="col">
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {pending.slice(0, shown).map((request, index) => (
            <PendingRow key={request.seq} {...{ client, target, request, now }} place={index + 1} />
          ))}
        </tbody>
      </table>
      {total > shown && (
        <p class="pager">
          <button type="button" onClick={() => setShown(shown + shownAtFirst)}>
            Show more: {count(total - shown)} are behind these
          </button>
        </p>
      )}
    </>
  );
};

const settledText = ({ status, result, error }: RequestState): string => {
  if (status === 'failed') return error?.message ?? '';
  if (status !== 'done' || result === undefined) return '';
  const text = JSON.stringify(result);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
};

const Settled = ({
  client,
  target,
  settled,
  hasOlder,
  loadOlder,
}: Whose & Pick<LiveQueue, 'settled' | 'hasOlder' | 'loadOlder'>) => (
  <>
    {settled.length === 0 && !hasOlder && <Empty>Nothing has been settled yet.</Empty>}
    <ol class="history">
      {settled.map((request) => (
        <li key={request.seq}>
          <Badge code={request.status} /> <a href={requestLink(target, request.seq)}>Request {request.seq}</a>
          <span class="grow excerpt">{settledText(request)}</span>
          {request.deadLetter && (
            <ActionButton
              act={() => actOn(client, target, request.seq, 'retry')}
              label={`Retry request ${request.seq}`}
            >
              Retry
            </ActionButton>
          )}
          <time class="dim number" dateTime={request.settledAt}>
            {request.settledAt && clockTime(request.settledAt)}
          </time>
        </li>
      ))}
    </ol>
    {hasOlder && (
      <p class="pager">
        <button type="button" onClick={loadOlder}>
          Show older
        </button>
      </p>
    )}
  </>
);

export const QueueView = ({ client, target, live }: Whose & { live: LiveQueue }) => {
  const { pending, total, settled, hasOlder, loadOlder } = live;
  const waiting = pending.filter(({ status, attempts }) => status === 'queued' && attempts === 0);
  return (
    <>
      <section aria-labelledby="queue">
        <div class="head">
          <h2 id="queue">Queue</h2>
          <span class="dim">{total > 0 && plural(total, 'request')}</span>
          {waiting.length > 1 && (
            <ActionButton
              kind="danger"
              act={() => cancelWaiting(client, target)}
              ask={
                <p>
                  Cancel all requests that wait, also one that has failed and waits for its next attempt? They do not
                  run any more. What runs goes on. This cannot be undone.
                </p>
              }
            >
              Cancel all that wait
            </ActionButton>
          )}
        </div>
        <Pending client={client} target={target} pending={pending} total={total} />
      </section>
      <section aria-labelledby="history">
        <h2 id="history">History</h2>
        <Settled {...{ client, target, settled, hasOlder, loadOlder }} />
      </section>
    </>
  );
};
