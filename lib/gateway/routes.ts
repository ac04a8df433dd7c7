/** The routes. infra/functions.yml, which serverless.yml includes, is their only source. The WebSocket API has one function for all of its own. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { fileBeside } from '../file-beside.ts';

/** `path` as API Gateway writes it: `/requests/{seq}`. `file` is the module without its extension, `name` is its export. */
export type Route = { method: string; path: string; file: string; name: string };

const httpApi = z.string().regex(/^[A-Z]+ \/\S*$/, 'must be `METHOD /path`');
const websocket = z.object({ websocket: z.object({ route: z.string() }) });
const functions = z.object({
  functions: z.record(
    z.string(),
    z.object({ handler: z.string(), events: z.array(z.union([z.object({ httpApi }), websocket])) }),
  ),
});

/** The function of the WebSocket API. */
export const websocketFunction = { file: 'functions/websocket', name: 'handler' };

const routeOf = (handler: string, event: string): Route => {
  const [method = '', path = ''] = event.split(' ');
  const dot = handler.lastIndexOf('.');
  return { method, path, file: handler.slice(0, dot), name: handler.slice(dot + 1) };
};

export const routesOf = (functionsYml: string): Route[] =>
  Object.values(functions.parse(parse(functionsYml)).functions).flatMap(({ handler, events }) =>
    events.flatMap((event) => ('httpApi' in event ? [routeOf(handler, event.httpApi)] : [])),
  );

const readInfra = (name: string): Promise<string> =>
  readFile(new URL(`../../infra/${name}.yml`, import.meta.url), 'utf8');

export const readRoutes = async (): Promise<Route[]> => routesOf(await readInfra('functions'));

/** What is served for development alone. */
export const readTryItRoutes = async (): Promise<Route[]> => {
  const { functions } = parse(await readInfra('try-it'));
  return routesOf(JSON.stringify({ functions: functions.on }));
};

/** Loads the function of a route. */
export const handlerOf = async <T>({ file, name }: Pick<Route, 'file' | 'name'>): Promise<T> =>
  (await import(fileBeside(import.meta.url, `../../${file}`).href))[name];
