/** Where a person is, in the fragment of the address: it works below any path, and a link to it leads to the same page. */
import { createSource } from './source.ts';

export type Route = { path: string[]; query: URLSearchParams };

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

const read = (): Route => {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) };
};

export const route = createSource(read());
addEventListener('hashchange', () => route.set(read()));

type Query = Record<string, string | number | undefined>;

/** The address of a page, for a link. */
export const linkTo = (path: string[], query: Query = {}): string => {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
};

/** Changes the address without a new entry in the history, as a filter does. */
export const replaceRoute = (path: string[], query: Query): void => {
  history.replaceState(null, '', linkTo(path, query));
  route.set(read());
};
