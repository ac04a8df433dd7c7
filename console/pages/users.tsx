import { useChangesOf } from '../live-overview.ts';
import type { Person } from '../person.ts';
import { linkTo, replaceRoute, route } from '../route.ts';
import { useSource } from '../source.ts';
import { count, duration, verdictNames } from '../text.ts';
import type { UserPage } from '../types.ts';
import { Badge, Empty, Failure, LiveNote, Loading, PageTitle, VerdictText } from '../ui.tsx';
import { useData, useNow } from '../use-data.ts';

type Filters = { show?: string; verdict?: string; lane?: string; name?: string; after?: string };

const filterNames = ['show', 'verdict', 'lane', 'name', 'after'] as const;

const read = (query: URLSearchParams): Filters =>
  Object.fromEntries(filterNames.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));

const FilterForm = ({ filters }: { filters: Filters }) => {
  const { verdict = '' } = filters;
  /** Another filter begins with the first page again. */
  const choose = (change: Filters) => replaceRoute(['users'], { ...filters, after: undefined, ...change });
  const known = Object.keys(verdictNames);
  return (
    <form class="filters" aria-label="Filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        Name begins with
        <input
          value={filters.name ?? ''}
          onInput={({ currentTarget }) => choose({ name: currentTarget.value })}
          spellcheck={false}
        />
      </label>
      <label>
        Verdict
        <select value={verdict} onChange={({ currentTarget }) => choose({ verdict: currentTarget.value })}>
          <option value="">any</option>
          {!known.includes(verdict) && verdict && <option value={verdict}>{verdict.replaceAll(',', ' or ')}</option>}
          {known.map((code) => (
            <option key={code} value={code}>
              {verdictNames[code]}
            </option>
          ))}
        </select>
      </label>
      <label>
        Lane
        <input
          type="number"
          min="0"
          value={filters.lane ?? ''}
          onInput={({ currentTarget }) => choose({ lane: currentTarget.value })}
        />
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={filters.show === 'all'}
          onChange={({ currentTarget }) => choose({ show: currentTarget.checked ? 'all' : undefined })}
        />
        also without pending requests
      </label>
    </form>
  );
};

/** `sinceMs`: how long ago they were read. */
const UserTable = ({ users, sinceMs }: { users: UserPage['users']; sinceMs: number }) => (
  <table>
    <thead>
      <tr>
        <th scope="col">User</th>
        <th scope="col">Verdict</th>
        <th scope="col" class="number">
          Waits
        </th>
        <th scope="col" class="number">
          Pending
        </th>
        <th scope="col" class="number wide">
          Runs
        </th>
        <th scope="col" class="number wide">
          Lane
        </th>
      </tr>
    </thead>
    <tbody>
      {users.map(({ userId, user, verdict, waitingMs, pending, running, lane }) => (
        <tr key={userId}>
          <td class="name">
            <a href={linkTo(['users', `id:${userId}`])}>{user ?? userId}</a>
          </td>
          <td>
            <Badge code={verdict.code} />
            <span class="wide below">
              <VerdictText verdict={verdict} elapsedMs={sinceMs} />
            </span>
          </td>
          <td class="number">{waitingMs === undefined ? '' : duration(waitingMs + sinceMs)}</td>
          <td class="number">{count(pending)}</td>
          <td class="number wide">{running}</td>
          <td class="number wide">{lane}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Found = ({ page, sinceMs, filters }: { page: UserPage; sinceMs: number; filters: Filters }) => {
  const { users, next } = page;
  const hasFilters = Boolean(filters.name || filters.verdict || filters.lane);
  return (
    <>
      {users.length > 0 ? (
        <UserTable users={users} sinceMs={sinceMs} />
      ) : (
        <Empty>
          {next
            ? 'None of the 1,000 users that this page looked at matches. There are more.'
            : hasFilters
              ? 'No user matches these filters.'
              : 'Nobody has anything pending.'}
        </Empty>
      )}
      <p class="pager">
        {filters.after && <a href={linkTo(['users'], { ...filters, after: undefined })}>First page</a>}
        {next && <a href={linkTo(['users'], { ...filters, after: next })}>Next page</a>}
      </p>
    </>
  );
};

export const UsersPage = ({ client }: { client: Person }) => {
  const filters = read(useSource(route).query);
  const now = useNow();
  const { value, error, isLoading } = useData(
    async (signal) => {
      const page = await client.call<UserPage>('GET', 'users', { signal, query: filters });
      return { page, readAt: Date.now() };
    },
    JSON.stringify(filters),
    useChangesOf('users'),
  );
  return (
    <>
      <PageTitle title="Users">
        <span class="dim">the longest without progress first</span>
        <LiveNote at={value?.readAt} />
      </PageTitle>
      <FilterForm filters={filters} />
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && <Found page={value.page} sinceMs={now - value.readAt} filters={filters} />}
    </>
  );
};
