/** What happened to one request, in the order in which it happened. */
import type { ComponentChildren } from 'preact';
import { linkTo } from './route.ts';
import { clockTime, duration, type Tone } from './text.ts';
import type { Attempt, WholeRequest } from './types.ts';
import { Json } from './ui.tsx';
import { useNow } from './use-data.ts';

type Step = { at: string; text: string; tone: Tone; more?: ComponentChildren };

const endings: Record<NonNullable<Attempt['outcome']>, { text: string; tone: Tone }> = {
  done: { text: 'succeeded', tone: 'good' },
  failed: { text: 'failed', tone: 'bad' },
  crashed: { text: 'ended its process', tone: 'bad' },
  interrupted: { text: 'was interrupted: its worker died or lost the lane', tone: 'warn' },
  ended: { text: 'was ended by an operator', tone: 'bad' },
  aborted: { text: 'was given back: its worker stopped or gave the lane up', tone: 'calm' },
};

const lengthOf = ({ startedAt, endedAt, outcome }: Attempt, now: number): string => {
  const lasted = (until: number) => duration(Math.max(0, until - Date.parse(startedAt)));
  // Its next owner found it some time after the worker had died.
  if (endedAt && outcome === 'interrupted') return `its end was noticed after ${lasted(Date.parse(endedAt))}`;
  if (endedAt) return `ran for ${lasted(Date.parse(endedAt))}`;
  return outcome ? 'nobody recorded when it ended' : `for ${lasted(now)} now`;
};

/** The worker that ran it. The API tells only operators. */
const Runner = ({ workerId, fencingToken }: Attempt) =>
  fencingToken === undefined ? null : (
    <>
      {', '}
      {workerId ? (
        <a href={linkTo(['workers'])} title={workerId}>
          worker <code>{workerId.slice(0, 8)}</code>
        </a>
      ) : (
        'a worker that the lane does not remember'
      )}
      , fencing token {fencingToken}
    </>
  );

const attemptStep = (attempt: Attempt, now: number): Step => {
  const { outcome, error, startedAt } = attempt;
  const { text, tone } = outcome ? endings[outcome] : ({ text: 'runs', tone: 'good' } as const);
  const more = (
    <>
      <span class="below dim">
        {lengthOf(attempt, now)}
        <Runner {...attempt} />
      </span>
      {error && (
        <span class="below">
          {error.name}: {error.message}
        </span>
      )}
      {(error?.cause || error?.errors) && (
        <details>
          <summary>The whole error</summary>
          <Json value={error} name={`The error of attempt ${attempt.attempt}`} />
        </details>
      )}
    </>
  );
  return { at: startedAt, text: `Attempt ${attempt.attempt} ${text}`, tone, more };
};

const earlierStep = ({ attempt, startedAt }: Attempt): Step[] => {
  const text = attempt === 2 ? 'Attempt 1 is not kept' : `Attempts 1 to ${attempt - 1} are not kept`;
  return attempt === 1 ? [] : [{ at: startedAt, text, tone: 'calm' }];
};

const stepsOf = (request: WholeRequest, now: number): Step[] => {
  // An API of an earlier version, beside this one during an upgrade, does not tell the attempts.
  const { acceptedAt, retryAt, deadLetter, ending, settledAt, status, attemptLog = [] } = request;
  const step = (at: string | undefined, text: string, tone: Tone): Step[] => (at ? [{ at, text, tone }] : []);
  const outcome = status === 'done' ? 'good' : status === 'failed' ? 'bad' : 'calm';
  const attempts = attemptLog.map((attempt) => attemptStep(attempt, now));
  const between = [
    ...attemptLog.slice(0, 1).flatMap(earlierStep),
    ...attempts,
    ...step(ending, 'An operator asked the run to end', 'warn'),
    ...step(deadLetter?.at, `Dead letter: ${deadLetter?.reason}`, 'bad'),
    ...step(retryAt, 'Next attempt, at the earliest', 'calm'),
  ];
  between.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  // The times of two processes differ by milliseconds.
  return [...step(acceptedAt, 'Accepted', 'calm'), ...between, ...step(settledAt, `Settled: ${status}`, outcome)];
};

export const Timeline = ({ request }: { request: WholeRequest }) => {
  const now = useNow();
  const start = Date.parse(request.acceptedAt);
  return (
    <ol class="timeline" aria-label="What happened">
      {stepsOf(request, now).map(({ at, text, tone, more }) => (
        <li key={text} class={tone}>
          <span>{text}</span>
          <span class="below dim">
            {clockTime(at)}
            {Date.parse(at) > start && `, ${duration(Date.parse(at) - start)} after it was accepted`}
          </span>
          {more}
        </li>
      ))}
    </ol>
  );
};
