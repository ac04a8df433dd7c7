import { useState } from 'preact/hooks';
import { randomKey } from '../../client/random-key.ts';
import { isJson, notJson } from '../json.ts';
import { useLiveQueue } from '../live.ts';
import type { Person } from '../person.ts';
import { QueueView } from '../queue-view.tsx';
import type { Queue, RequestState } from '../types.ts';
import { errorText, Failure, Loading, PageTitle, tell } from '../ui.tsx';
import { useData } from '../use-data.ts';
import { useReloadOn, Verdict } from './user.tsx';

/** The verdict also depends on things that no event of the user reports, such as a worker that is gone. */
const pendingEveryMs = 5_000;
const idleEveryMs = 30_000;

const EnqueueForm = ({ client }: { client: Person }) => {
  const [text, setText] = useState('"Your Message"');
  const [isBusy, setBusy] = useState(false);
  const isGood = isJson(text);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      // A repeated call is accepted once.
      const key = randomKey();
      const { seq } = await client.call<RequestState>('POST', 'enqueue', { body: { request: JSON.parse(text) }, key });
      tell(`Request ${seq} was accepted.`);
    } catch (error) {
      tell(errorText(error as Error), true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form class="enqueue" onSubmit={(event) => void submit(event)}>
      <label>
        New request, as JSON
        <textarea
          rows={3}
          value={text}
          spellcheck={false}
          aria-invalid={!isGood}
          aria-describedby="json-hint"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      <div class="head">
        <button type="submit" class="main" disabled={isBusy || !isGood}>
          Enqueue
        </button>
        <span id="json-hint" class={isGood ? 'dim' : 'bad'}>
          {isGood ? 'It runs after everything that is in the queue.' : notJson}
        </span>
      </div>
    </form>
  );
};

export const MyQueuePage = ({ client }: { client: Person }) => {
  const live = useLiveQueue(client, undefined);
  const data = useData(
    async (signal) => ({ queue: await client.call<Queue>('GET', 'queue', { signal }), readAt: Date.now() }),
    'own',
    { everyMs: live.total > 0 ? pendingEveryMs : idleEveryMs },
  );
  useReloadOn(live.version, data);
  const { value, error, isLoading } = data;
  return (
    <>
      <PageTitle title="My queue">
        <span class="dim">live</span>
      </PageTitle>
      {isLoading && <Loading />}
      {error && <Failure error={error} />}
      {value && <Verdict about={value.queue} readAt={value.readAt} />}
      {live.error && !error && <Failure error={live.error} />}
      <EnqueueForm client={client} />
      {value && (live.isReady ? <QueueView client={client} target={undefined} live={live} /> : <Loading />)}
    </>
  );
};
