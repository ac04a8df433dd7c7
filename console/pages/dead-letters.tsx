import { useState } from 'preact/hooks';
import { useChangesOf } from '../live-overview.ts';
import type { Person } from '../person.ts';
import { requestLink } from '../queue-view.tsx';
import { linkTo, replaceRoute, route } from '../route.ts';
import { useSource } from '../source.ts';
import { clockTime, count, plural } from '../text.ts';
import type { DeadLetterPage } from '../types.ts';
import { ActionButton, Badge, Empty, Failure, Json, LiveNote, Loading, PageTitle } from '../ui.tsx';
import { type Data, useData } from '../use-data.ts';

const previewed = 5;

type DeadLetter = DeadLetterPage['deadLetters'][number];
type Action = 'retry' | 'drop';
type Decided = {
  results?: { result: string; seq: number; detail?: string }[];
  decided?: number;
  refused?: number;
  refusedBy?: Record<string, number>;
  next?: string;
};

const done = { retry: 'retried', drop: 'dropped' };
const verb = { retry: 'Retry', drop: 'Drop' };
const effect = {
  retry: 'They run again, those of each user in their order.',
  drop: 'They can never be retried after that, and users who are blocked by them go on.',
};

const keyOf = ({ userId, seq }: DeadLetter): string => `${userId} ${seq}`;

const decideItems = async (client: Person, action: Action, letters: DeadLetter[]): Promise<string> => {
  const items = letters.map(({ userId, seq }) => ({ user: `id:${userId}`, seq }));
  const { results = [] } = await client.call<Decided>('POST', `dead-letters/${action}`, { body: { items } });
  const refused = results.filter(({ result }) => result === 'refused');
  const first = refused[0] ? ` ${plural(refused.length, 'was', 'were')} refused: ${refused[0].detail}` : '';
  return `${plural(results.length - refused.length, 'dead letter was', 'dead letters were')} ${done[action]}.${first}`;
};

/** All of one user, in as many calls as that takes. */
const decideUser = async (client: Person, action: Action, userId: string): Promise<string> => {
  let decided = 0;
  let refused = 0;
  let after: string | undefined;
  do {
    const body = { user: `id:${userId}`, after };
    const answer = await client.call<Decided>('POST', `dead-letters/${action}`, { body });
    decided += answer.decided ?? 0;
    refused += answer.refused ?? 0;
    after = answer.next;
  } while (after !== undefined);
  const rest = refused > 0 ? ` ${count(refused)} were refused.` : '';
  return `${plural(decided, 'dead letter was', 'dead letters were')} ${done[action]}.${rest}`;
};

/** `areFirst`: there are more than these, nobody knows how many. */
type PreviewProps = { action: Action; letters: DeadLetter[]; whole?: string; areFirst?: boolean };

const Preview = ({ action, letters, whole, areFirst = false }: PreviewProps) => (
  <>
    <p>
      {verb[action]} {whole ?? plural(letters.length, 'dead letter')}? {effect[action]}
    </p>
    {areFirst && <p>The first of them:</p>}
    <ul>
      {letters.slice(0, previewed).map((letter) => (
        <li key={keyOf(letter)}>
          {letter.user ?? letter.userId}, request {letter.seq}: {letter.error?.message ?? letter.reason}
        </li>
      ))}
      {!areFirst && letters.length > previewed && <li>and {count(letters.length - previewed)} more</li>}
    </ul>
  </>
);

const Letter = ({ letter, isChosen, choose }: { letter: DeadLetter; isChosen: boolean; choose(is: boolean): void }) => {
  const { userId, user, seq, reason, error, at, attempts, status, request } = letter;
  return (
    <li>
      <input
        type="checkbox"
        checked={isChosen}
        aria-label={`Choose request ${seq} of ${user ?? userId}`}
        onChange={({ currentTarget }) => choose(currentTarget.checked)}
      />
      <div class="grow">
        <div class="head">
          <a href={linkTo(['users', `id:${userId}`])}>{user ?? userId}</a>
          <a href={requestLink(`id:${userId}`, seq)}>request {seq}</a>
          <Badge code={status === 'blocked' ? 'blocked' : 'failed'}>
            {status === 'blocked' ? `blocked: ${reason}` : reason}
          </Badge>
          <span class="dim">
            {clockTime(at)}, {plural(attempts, 'run')}
          </span>
        </div>
        {error && (
          <p class="error">
            {error.name}: {error.message}
          </p>
        )}
        <details>
          <summary>What was asked for</summary>
          <Json value={request} name={`Request ${seq}`} />
        </details>
      </div>
    </li>
  );
};

const reasons = ['failed', 'crashed', 'interrupted', 'ended'];

const Reasons = ({ chosen, choose }: { chosen: string; choose(reason: string): void }) => (
  <fieldset class="head">
    <legend class="hidden">Reasons</legend>
    {['', ...reasons].map((reason) => (
      <button key={reason} type="button" aria-pressed={chosen === reason} onClick={() => choose(reason)}>
        {reason || 'all'}
      </button>
    ))}
  </fieldset>
);

/** `mayTakeAll`: the page shows the first dead letters of one user, so that all of that user's can be decided at once. */
type ListProps = {
  client: Person;
  page: DeadLetterPage;
  user: string;
  mayTakeAll: boolean;
  reload: Data<unknown>['reload'];
};

const List = ({ client, page, user, mayTakeAll, reload }: ListProps) => {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const shown = page.deadLetters;
  const letters = shown.filter((letter) => chosen.has(keyOf(letter)));
  const decide = (action: Action) => async () => {
    const text = await decideItems(client, action, letters);
    setChosen(new Set());
    reload();
    return text;
  };
  const decideAll = (action: Action) => async () => {
    const text = await decideUser(client, action, page.deadLetters[0]?.userId ?? '');
    reload();
    return text;
  };
  const isAll = letters.length === shown.length && shown.length > 0;
  const whole = `all dead letters of ${page.deadLetters[0]?.user ?? user}`;
  return (
    <>
      <div class="head toolbar">
        <label class="check">
          <input type="checkbox" checked={isAll} onChange={() => setChosen(new Set(isAll ? [] : shown.map(keyOf)))} />
          all on this page
        </label>
        {(['retry', 'drop'] as const).map((action) => (
          <ActionButton
            key={action}
            kind={action === 'drop' ? 'danger' : 'main'}
            disabled={letters.length === 0}
            act={decide(action)}
            ask={<Preview action={action} letters={letters} />}
          >
            {verb[action]} {letters.length > 0 ? letters.length : ''}
          </ActionButton>
        ))}
        {mayTakeAll &&
          (['retry', 'drop'] as const).map((action) => (
            <ActionButton
              key={action}
              kind={action === 'drop' ? 'danger' : ''}
              act={decideAll(action)}
              ask={<Preview action={action} letters={shown} whole={whole} areFirst={page.next !== undefined} />}
            >
              {verb[action]} all of {page.deadLetters[0]?.user ?? user}
            </ActionButton>
          ))}
      </div>
      <ul class="letters" aria-label="Dead letters">
        {shown.map((letter) => (
          <Letter
            key={keyOf(letter)}
            letter={letter}
            isChosen={chosen.has(keyOf(letter))}
            choose={(is) => {
              const next = new Set(chosen);
              if (is) next.add(keyOf(letter));
              else next.delete(keyOf(letter));
              setChosen(next);
            }}
          />
        ))}
      </ul>
    </>
  );
};

type Filters = { user: string; reason: string; after: string };

const Found = ({ page, filters, ...list }: Omit<ListProps, 'user' | 'mayTakeAll'> & { filters: Filters }) => {
  const { user, reason, after } = filters;
  const mayTakeAll = user !== '' && reason === '' && after === '';
  if (page.deadLetters.length > 0)
    return <List key={JSON.stringify(filters)} {...list} page={page} user={user} mayTakeAll={mayTakeAll} />;
  return (
    <Empty>
      {page.next
        ? 'None of the 1,000 dead letters that this page looked at matches. There are more.'
        : 'There are no dead letters here.'}
    </Empty>
  );
};

export const DeadLettersPage = ({ client }: { client: Person }) => {
  const { query } = useSource(route);
  const of = (name: string) => query.get(name) ?? '';
  const filters: Filters = { user: of('user'), reason: of('reason'), after: of('after') };
  const { user, reason, after } = filters;
  const { value, error, isLoading, reload } = useData(
    async (signal) => {
      const page = await client.call<DeadLetterPage>('GET', 'dead-letters', { signal, query: filters });
      return { page, readAt: Date.now() };
    },
    JSON.stringify(filters),
    useChangesOf('deadLetters'),
  );
  return (
    <>
      <PageTitle title="Dead letters">
        <span class="dim">oldest first</span>
        <LiveNote at={value?.readAt} />
      </PageTitle>
      <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Of the user
          <input
            value={user}
            spellcheck={false}
            onChange={({ currentTarget }) => replaceRoute(['dead-letters'], { user: currentTarget.value, reason })}
          />
        </label>
        <Reasons chosen={reason} choose={(chosen) => replaceRoute(['dead-letters'], { user, reason: chosen })} />
      </form>
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && <Found client={client} page={value.page} filters={filters} reload={reload} />}
      <p class="pager">
        {after && <a href={linkTo(['dead-letters'], { user, reason })}>First page</a>}
        {value?.page.next && <a href={linkTo(['dead-letters'], { ...filters, after: value.page.next })}>Next page</a>}
      </p>
    </>
  );
};
