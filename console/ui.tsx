/** Small parts that the pages share. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, UnreachableError } from '../client/errors.ts';
import { away } from './away.ts';
import { createSource, useSource } from './source.ts';
import { clockTime, duration, toneOf, verdictNames } from './text.ts';
import type { Verdict } from './types.ts';

type Children = { children?: ComponentChildren };

export const Badge = ({ code, children }: { code: string } & Children) => (
  <span class={`badge ${toneOf(code)}`}>{children ?? verdictNames[code] ?? code}</span>
);

/** `elapsedMs`: since the verdict was read. */
export const VerdictText = ({ verdict, elapsedMs = 0 }: { verdict: Verdict; elapsedMs?: number }) => (
  <>
    {verdict.text}
    {verdict.sinceMs !== undefined && verdict.code !== 'idle' && (
      <span class="dim"> For {duration(verdict.sinceMs + elapsedMs)}.</span>
    )}
    {verdict.stale && <span class="dim"> May be out of date: a heartbeat is late.</span>}
  </>
);

/** Says that the page is live or, while the API is away, from when its contents are. */
export const LiveNote = ({ at }: { at: string | number | undefined }) => {
  const isAway = useSource(away) !== undefined;
  if (at === undefined) return null;
  return <span class="dim">{isAway ? `as of ${clockTime(at)}` : 'live'}</span>;
};

export const errorText = (error: Error): string => {
  if (error instanceof ApiError) return error.message;
  return error instanceof UnreachableError || error instanceof TypeError ? 'The API does not answer.' : error.message;
};

/** While the API is away the banner says so, and the page reads again by itself. */
export const Failure = ({ error }: { error: Error }) => {
  const isAway = useSource(away) !== undefined;
  return isAway ? (
    <p class="dim">This page goes on by itself when the API is back.</p>
  ) : (
    <p class="note bad" role="alert">
      {errorText(error)}
    </p>
  );
};

export const Loading = () => (
  <p class="dim" role="status">
    Loading…
  </p>
);

export const Empty = ({ children }: Children) => <p class="empty">{children}</p>;

/** What an action did, for a few seconds. Screen readers say it. */
const told = createSource<{ text: string; isBad: boolean } | undefined>(undefined);
const tellMs = 6_000;

export const tell = (text: string, isBad = false): void => told.set({ text, isBad });

export const Toast = () => {
  const value = useSource(told);
  useEffect(() => {
    const timer = setTimeout(() => told.set(undefined), tellMs);
    return () => clearTimeout(timer);
  }, [value]);
  return (
    <div class="toast" role="status" aria-live="polite">
      {value && <p class={value.isBad ? 'bad' : 'good'}>{value.text}</p>}
    </div>
  );
};

/** A button that waits for its action and tells what went wrong. `ask`: what has to be confirmed first. */
export const ActionButton = ({
  act,
  ask,
  kind = '',
  label,
  disabled,
  children,
}: {
  act: () => Promise<string | undefined>;
  ask?: ComponentChildren;
  kind?: 'danger' | 'main' | '';
  /** For screen readers, where the text alone does not say what it is about. */
  label?: string;
  disabled?: boolean;
} & Children) => {
  const [isBusy, setBusy] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const run = async (): Promise<void> => {
    setAsking(false);
    setBusy(true);
    try {
      const text = await act();
      if (text) tell(text);
    } catch (error) {
      tell(errorText(error as Error), true);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        class={kind}
        aria-label={label}
        disabled={isBusy || disabled}
        onClick={() => (ask ? setAsking(true) : void run())}
      >
        {children}
      </button>
      {isAsking && (
        <Confirm kind={kind} confirm={children} onConfirm={() => void run()} onCancel={() => setAsking(false)}>
          {ask}
        </Confirm>
      )}
    </>
  );
};

const Confirm = ({
  kind,
  confirm,
  onConfirm,
  onCancel,
  children,
}: { kind: string; confirm: ComponentChildren; onConfirm(): void; onCancel(): void } & Children) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onCancel} aria-label="Are you sure?">
      <div class="ask">{children}</div>
      <div class="actions">
        <button type="button" class={kind || 'main'} onClick={onConfirm}>
          {confirm}
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Back
        </button>
      </div>
    </dialog>
  );
};

export const Json = ({ value, name }: { value: unknown; name: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and keyboards must reach it.
  <section class="json" tabIndex={0} aria-label={`${name}, as JSON`}>
    <pre>{JSON.stringify(value, undefined, 2)}</pre>
  </section>
);

/** The heading of a page. It has the focus after a link was followed, so that screen readers begin there. */
export const PageTitle = ({ title, children }: { title: string } & Children) => {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Lanekeeper`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <div class="title">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </div>
  );
};

export const Tile = ({ name, value, tone, href }: { name: string; value: string; tone?: string; href?: string }) => {
  const inside = (
    <>
      <span class="name">{name}</span>
      <span class={`value ${tone ?? ''}`}>{value}</span>
    </>
  );
  return href ? (
    <a class="tile" href={href}>
      {inside}
    </a>
  ) : (
    <div class="tile">{inside}</div>
  );
};
