import type { ComponentChildren } from 'preact';
import { away } from './away.ts';
import { DeadLettersPage } from './pages/dead-letters.tsx';
import { LoginPage } from './pages/login.tsx';
import { MyQueuePage } from './pages/my-queue.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { RequestPage } from './pages/request.tsx';
import { TryItPage } from './pages/try-it.tsx';
import { UserPage } from './pages/user.tsx';
import { UsersPage } from './pages/users.tsx';
import { WorkersPage } from './pages/workers.tsx';
import { isOperator, logOut, mayTryIt, type Person, person, roleNote } from './person.ts';
import { linkTo, route } from './route.ts';
import { useSource } from './source.ts';
import { clockTime } from './text.ts';
import { Empty, PageTitle, Toast } from './ui.tsx';

const operatorPages = [
  { path: [], title: 'Overview' },
  { path: ['users'], title: 'Users' },
  { path: ['dead-letters'], title: 'Dead letters' },
  { path: ['workers'], title: 'Workers' },
];
const developersPages = [{ path: ['try-it'], title: 'Try it' }];
const ownPages = [{ path: ['queue'], title: 'My queue' }];

const AwayBanner = () => {
  const value = useSource(away);
  return (
    <div role="status">
      {value && (
        <p class="banner bad">
          {value.text} Since {clockTime(value.since)}. Trying again every second; what you see is from before.
        </p>
      )}
    </div>
  );
};

const Shell = ({
  client,
  mayOperate,
  children,
}: {
  client: Person;
  mayOperate: boolean;
  children: ComponentChildren;
}) => {
  const { path } = useSource(route);
  const note = useSource(roleNote);
  const canTry = useSource(mayTryIt);
  const pages = [...(mayOperate ? operatorPages : []), ...(mayOperate && canTry ? developersPages : []), ...ownPages];
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the page
      </button>
      <header>
        <span class="brand">Lanekeeper</span>
        <nav aria-label="Pages">
          {pages.map((page) => (
            <a
              key={page.title}
              href={linkTo(page.path)}
              aria-current={(path[0] ?? (mayOperate ? undefined : 'queue')) === page.path[0] ? 'page' : undefined}
            >
              {page.title}
            </a>
          ))}
        </nav>
        <span class="who">
          <span class="dim">{client.name}</span>
          <button type="button" onClick={logOut}>
            Log out
          </button>
        </span>
      </header>
      <AwayBanner />
      <main id="main" tabIndex={-1}>
        {note && <p class="note warn">{note}</p>}
        {children}
      </main>
      <Toast />
    </>
  );
};

const NoPage = () => (
  <>
    <PageTitle title="No such page" />
    <Empty>
      There is nothing at this address. <a href={linkTo([])}>Go to the first page</a>
    </Empty>
  </>
);

const Page = ({ client, mayOperate }: { client: Person; mayOperate: boolean }) => {
  const { path } = useSource(route);
  const canTry = useSource(mayTryIt);
  const [page, id, part, seq] = path;
  if (page === 'queue' && id) return <RequestPage client={client} target={undefined} seq={Number(id)} />;
  if (page === 'queue' || !mayOperate) return <MyQueuePage client={client} />;
  if (page === 'try-it' && canTry) return <TryItPage client={client} />;
  if (page === undefined) return <OverviewPage />;
  if (page === 'users' && id && part === 'requests' && seq)
    return <RequestPage client={client} target={id} seq={Number(seq)} />;
  if (page === 'users' && id) return <UserPage key={id} client={client} target={id} />;
  if (page === 'users') return <UsersPage client={client} />;
  if (page === 'dead-letters') return <DeadLettersPage client={client} />;
  if (page === 'workers') return <WorkersPage client={client} />;
  return <NoPage />;
};

export const App = () => {
  const client = useSource(person);
  const mayOperate = useSource(isOperator);
  if (!client)
    return (
      <>
        <AwayBanner />
        <LoginPage />
      </>
    );
  return (
    <Shell client={client} mayOperate={mayOperate}>
      <Page client={client} mayOperate={mayOperate} />
    </Shell>
  );
};
