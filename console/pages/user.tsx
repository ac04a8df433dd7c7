import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { actOn } from '../actions.ts';
import { useLiveQueue } from '../live.ts';
import { useChangesFor } from '../live-overview.ts';
import type { Person } from '../person.ts';
import { QueueView, requestLink } from '../queue-view.tsx';
import { linkTo } from '../route.ts';
import { clockTime, count, duration, plural } from '../text.ts';
import type { User } from '../types.ts';
import { ActionButton, Badge, Failure, Loading, PageTitle } from '../ui.tsx';
import { type Data, useData, useNow } from '../use-data.ts';

/** After the last of several events. */
const settleMs = 150;

/** Reads the verdict again soon after something has happened. */
export const useReloadOn = (version: number, { reload }: Data<unknown>): void => {
  const latest = useRef(reload);
  latest.current = reload;
  useEffect(() => {
    if (version === 0) return undefined;
    const timer = setTimeout(() => latest.current(), settleMs);
    return () => clearTimeout(timer);
  }, [version]);
};

/** Why the user waits, since when, and after which failure. */
export const Verdict = ({
  about: { verdict, error },
  readAt,
  children,
}: {
  about: Pick<User, 'verdict' | 'error'>;
  readAt: number;
  children?: ComponentChildren;
}) => {
  const { code, text, seq, sinceMs, stale } = verdict;
  const since = sinceMs === undefined ? '' : clockTime(readAt - sinceMs);
  const isExplained = code === 'blocked' && error !== undefined && since !== '';
  return (
    <div class="verdict">
      <Badge code={code} />
      <p class="says">
        {isExplained ? `Waits because request ${seq} is blocked since ${since}: ${error.message}` : text}
      </p>
      {error && !isExplained && (
        <p class="bad">
          {error.name}: {error.message}
        </p>
      )}
      <p class="dim">
        {isExplained ? 'Somebody must retry or skip it. ' : since && `Since ${since}. `}
        {stale && 'This may be out of date: a heartbeat is late.'}
      </p>
      {children}
    </div>
  );
};

const Actions = ({ client, target, user }: { client: Person; target: string; user: User }) => {
  const { code, seq } = user.verdict;
  if (seq === undefined) return null;
  const act = (what: 'retry' | 'skip' | 'end') => () => actOn(client, target, seq, what);
  if (code === 'blocked' || code === 'between-attempts')
    return (
      <div class="actions">
        <ActionButton kind="main" act={act('retry')}>
          {code === 'blocked' ? `Retry request ${seq}` : `Retry request ${seq} now`}
        </ActionButton>
        <ActionButton
          act={act('skip')}
          ask={<p>Give request {seq} up? It fails, becomes a dead letter, and those behind it run.</p>}
        >
          Skip request {seq}
        </ActionButton>
      </div>
    );
  if (code === 'running' || code === 'unresponsive-run')
    return (
      <div class="actions">
        <ActionButton
          kind="danger"
          act={act('end')}
          ask={
            <p>
              End the run of request {seq}? It is told to stop, and its process is ended if it does not. The request
              fails and becomes a dead letter, unless it still succeeds.
            </p>
          }
        >
          End the run
        </ActionButton>
      </div>
    );
  return null;
};

type FactsProps = { user: User; target: string; readAt: number; now: number };

const Facts = ({ user, target, readAt, now }: FactsProps) => {
  const { lane, owner, fencingToken, running, pending, accepted, state, sessions, oldestPendingAgeMs } = user;
  return (
    <dl class="facts">
      <div>
        <dt>Lane</dt>
        <dd>
          <a href={linkTo(['users'], { lane })}>{lane}</a>
        </dd>
      </div>
      <div>
        <dt>Owner</dt>
        <dd>{owner ? <code title={owner}>{owner.slice(0, 12)}</code> : <span class="bad">none</span>}</dd>
      </div>
      <div>
        <dt>Runs</dt>
        <dd>
          {running ? (
            <>
              <a href={requestLink(target, running.seq)}>request {running.seq}</a>
              {running.startedAt && ` for ${duration(now - Date.parse(running.startedAt))}`}
            </>
          ) : (
            'nothing'
          )}
        </dd>
      </div>
      <div>
        <dt>Fencing token</dt>
        <dd>{fencingToken ?? '–'}</dd>
      </div>
      <div>
        <dt>Pending</dt>
        <dd>
          {count(pending)} of {count(accepted)}
        </dd>
      </div>
      <div>
        <dt>Oldest</dt>
        <dd>{oldestPendingAgeMs === undefined ? '–' : duration(oldestPendingAgeMs + now - readAt)}</dd>
      </div>
      <div>
        <dt>Queue</dt>
        <dd>
          {state}, {plural(sessions, 'session')}
        </dd>
      </div>
    </dl>
  );
};

export const UserPage = ({ client, target }: { client: Person; target: string }) => {
  const now = useNow();
  const live = useLiveQueue(client, target);
  const data = useData(
    async (signal) => {
      const path = `users/${encodeURIComponent(target)}`;
      const user = await client.call<User>('GET', path, { signal, query: { as: 'operator' } });
      return { user, readAt: Date.now() };
    },
    target,
    useChangesFor(live.total),
  );
  useReloadOn(live.version, data);
  const { value, error, isLoading } = data;
  return (
    <>
      <PageTitle title={value?.user.user ?? value?.user.userId ?? 'User'}>
        {value && <code class="dim wide">{value.user.userId}</code>}
      </PageTitle>
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && (
        <>
          <Verdict about={value.user} readAt={value.readAt}>
            <Actions client={client} target={target} user={value.user} />
          </Verdict>
          <Facts user={value.user} target={target} readAt={value.readAt} now={now} />
        </>
      )}
      {live.error && !error && <Failure error={live.error} />}
      {value && (live.isReady ? <QueueView client={client} target={target} live={live} /> : <Loading />)}
    </>
  );
};
