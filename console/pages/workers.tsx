import { useLiveOverview } from '../live-overview.ts';
import { Failure, LiveNote, Loading, PageTitle } from '../ui.tsx';
import { LaneGrid, WorkerTable } from './overview.tsx';

export const WorkersPage = () => {
  const { value, error, isLoading } = useLiveOverview();
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
          </section>
        </>
      )}
    </>
  );
};
