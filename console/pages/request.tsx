import { useEffect } from 'preact/hooks';
import { actOn } from '../actions.ts';
import { apiUrl } from '../away.ts';
import { isSettled } from '../live.ts';
import { asOperator, type Person, pathOf, type Target } from '../person.ts';
import { linkTo } from '../route.ts';
import { plural } from '../text.ts';
import { Timeline } from '../timeline.tsx';
import type { RequestState, WholeRequest } from '../types.ts';
import { ActionButton, Badge, Failure, Json, Loading, PageTitle } from '../ui.tsx';
import { type Data, useData } from '../use-data.ts';

type Whose = { client: Person; target: Target };

/** Reads again with each event of the request, until it is settled. */
const useEventsOf = ({ client, target }: Whose, request: RequestState | undefined, { reload }: Data<unknown>): void => {
  const follow = request !== undefined && !isSettled(request);
  const seq = request?.seq;
  useEffect(() => {
    if (!follow || seq === undefined) return undefined;
    const over = new AbortController();
    const listen = async (): Promise<void> => {
      for await (const event of client.events(target, { after: String(seq - 1), signal: over.signal }))
        if (event.type !== 'queue' && event.request.seq === seq) reload();
    };
    listen().catch(() => undefined);
    return () => over.abort();
  }, [client, target, seq, follow]);
};

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const queryOf = (target: Target): Record<string, string> => ({ ...asOperator(target), include: 'request' });

/** Without the token: it would end up in the history of a shell. */
const curlOf = (target: Target, seq: number): string => {
  const url = `${apiUrl}${pathOf(target, `requests/${seq}`)}?${new URLSearchParams(queryOf(target))}`;
  return `curl -s ${quoted(url)} -H "authorization: Bearer $TOKEN"`;
};

const Actions = ({ client, target, request, reload }: Whose & { request: RequestState; reload(): void }) => {
  const { seq, status, retryAt, attempts, deadLetter } = request;
  const act = (what: 'retry' | 'skip' | 'cancel' | 'end') => async () => {
    const text = await actOn(client, target, seq, what);
    reload();
    return text;
  };
  const isHeld = status === 'blocked' || retryAt !== undefined;
  const copy = async (): Promise<string> => {
    const text = curlOf(target, seq);
    await navigator.clipboard.writeText(text);
    return 'The call was copied. It takes the token from $TOKEN.';
  };
  return (
    <div class="actions">
      {(isHeld || (status === 'failed' && deadLetter)) && (
        <ActionButton kind="main" act={act('retry')}>
          Retry
        </ActionButton>
      )}
      {isHeld && (
        <ActionButton act={act('skip')} ask={<p>Give request {seq} up? It fails, and those behind it run.</p>}>
          Skip
        </ActionButton>
      )}
      {status === 'queued' && attempts === 0 && <ActionButton act={act('cancel')}>Cancel</ActionButton>}
      {status === 'processing' && !retryAt && target !== undefined && (
        <ActionButton
          kind="danger"
          act={act('end')}
          ask={<p>End the run of request {seq}? The request fails, unless it still succeeds.</p>}
        >
          End the run
        </ActionButton>
      )}
      <ActionButton act={copy}>Copy as curl</ActionButton>
    </div>
  );
};

export const RequestPage = ({ client, target, seq }: Whose & { seq: number }) => {
  const data = useData(
    (signal) => client.call<WholeRequest>('GET', pathOf(target, `requests/${seq}`), { signal, query: queryOf(target) }),
    `${target} ${seq}`,
  );
  const { value, error, isLoading, reload } = data;
  useEventsOf({ client, target }, value, data);
  const back = target === undefined ? linkTo(['queue']) : linkTo(['users', target]);
  return (
    <>
      <p class="crumb">
        <a href={back}>{target === undefined ? 'My queue' : 'The queue of this user'}</a>
      </p>
      <PageTitle title={`Request ${seq}`}>{value && <Badge code={value.status} />}</PageTitle>
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && (
        <>
          <Actions client={client} target={target} request={value} reload={reload} />
          <p class="dim">
            {plural(value.attempts, 'run')}
            {value.maxAttempts !== undefined && ` of at most ${value.maxAttempts}`}
            {value.position !== undefined && `, position ${value.position}`}
            {value.key !== undefined && `, key ${value.key}`}
            {value.retryOf !== undefined && `, runs request ${value.retryOf} again`}
          </p>
          <Timeline request={value} />
          {value.request !== undefined && (
            <section aria-labelledby="asked">
              <h2 id="asked">What was asked for</h2>
              <Json value={value.request} name="What was asked for" />
            </section>
          )}
          {value.result !== undefined && (
            <section aria-labelledby="result">
              <h2 id="result">Result</h2>
              <Json value={value.result} name="Result" />
            </section>
          )}
          {value.error && (
            <section aria-labelledby="error">
              <h2 id="error">Error</h2>
              <Json value={value.error} name="Error" />
            </section>
          )}
        </>
      )}
    </>
  );
};
