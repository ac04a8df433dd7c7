/** The hooks in components that are rendered into a document. */
import { afterEach, beforeAll, describe, test } from '@jest/globals';
import { Window } from 'happy-dom';
import type { Root } from 'react-dom/client';
import type { LanekeeperClient } from '../../client/index.ts';
import { useQueue, useRequest } from '../../client/react/index.ts';
import { createTestClient } from '../../client/testing/index.ts';
import { eventually } from '../support/world.ts';

const window = new Window();
let react: typeof import('react');
let createRoot: typeof import('react-dom/client').createRoot;
let root: Root | undefined;

beforeAll(async () => {
  Object.assign(globalThis, { window, document: window.document });
  react = await import('react');
  ({ createRoot } = await import('react-dom/client'));
});
afterEach(() => root?.unmount());

type Shown = { client: LanekeeperClient; seq?: number };

const Request = ({ client, seq }: Shown) => {
  const { request, error } = useRequest<string>(client, seq);
  const { status = 'nothing yet', position = '-', result = '-', error: runError } = request ?? {};
  return react.createElement(
    'p',
    undefined,
    `${status} ${position} ${result} ${runError?.message ?? error?.message ?? '-'}`,
  );
};

const Queue = ({ client }: Shown) => {
  const { queue } = useQueue(client);
  return react.createElement('p', undefined, queue ? `${queue.settled} of ${queue.accepted}` : 'nothing yet');
};

/** Renders as a page in development does, with each effect run twice. */
const render = (component: (shown: Shown) => React.ReactNode, shown: Shown): void => {
  const element = window.document.createElement('div');
  window.document.body.replaceChildren(element);
  root = createRoot(element as never);
  again(component, shown);
};
const again = (component: (shown: Shown) => React.ReactNode, shown: Shown): void =>
  root?.render(react.createElement(react.StrictMode, undefined, react.createElement(component, shown)));

const shows = (text: string) => eventually(`shows ${text}`, () => window.document.body.textContent === text);

const held = () => {
  const runs = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const client = createTestClient((_request, { seq }) => runs[seq - 1]?.promise);
  return { client, runs };
};

describe('useRequest', () => {
  test('shows a request from its position to its result', async () => {
    const { client, runs } = held();
    await client.enqueueMany(['a', 'b']);
    render(Request, { client, seq: 2 });
    await shows('queued 2 - -');
    runs[0]?.resolve('x');
    await shows('processing 1 - -');
    runs[1]?.resolve('y');
    await shows('done - y -');
    client.close();
  });

  test('shows another request when the seq changes, and nothing without one', async () => {
    const { client, runs } = held();
    await client.enqueueMany(['a', 'b']);
    render(Request, { client });
    await shows('nothing yet - - -');
    again(Request, { client, seq: 1 });
    await shows('processing 1 - -');
    again(Request, { client, seq: 2 });
    await shows('queued 2 - -');
    runs[0]?.reject(new Error('no luck'));
    again(Request, { client, seq: 1 });
    await shows('failed - - no luck');
    client.close();
  });

  test('shows why a request cannot be followed', async () => {
    const { client } = held();
    render(Request, { client, seq: 3 });
    await shows('nothing yet - - There is no request 3.');
    client.close();
  });
});

describe('useQueue', () => {
  test('shows how far the queue has come', async () => {
    const { client, runs } = held();
    render(Queue, { client });
    await shows('0 of 0');
    await client.enqueueMany(['a', 'b']);
    await shows('0 of 2');
    for (const run of runs) run.resolve('x');
    await shows('2 of 2');
    client.close();
  });
});
