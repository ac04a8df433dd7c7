import type { Person } from '../person.ts';
import { clockTime } from '../text.ts';
import { Failure, Loading, PageTitle } from '../ui.tsx';
import { LaneGrid, useOverview, WorkerTable } from './overview.tsx';

export const WorkersPage = ({ client }: { client: Person }) => {
  const { value, error, isLoading } = useOverview(client);
  return (
    <>
      <PageTitle title="Workers and lanes">
        {value && <span class="dim">as of {clockTime(value.at)}, every 2 s while you look</span>}
      </PageTitle>
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && (
        <>
          <WorkerTable workers={value.workers} lanes={value.lanes} />
          <section aria-labelledby="lanes">
            <h2 id="lanes">Lanes</h2>
            <LaneGrid lanes={value.lanes} />
          </section>
        </>
      )}
    </>
  );
};
