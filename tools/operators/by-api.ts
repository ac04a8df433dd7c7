import { CallError, callApi } from '../api-client.ts';
import type { OperatorCalls } from './calls.ts';

/** A value that is `undefined` is left out. */
const queryOf = (values: Record<string, string | number | undefined>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
};

/** `token`: an API key with the scope `operate`, or the token of an operator's session. */
export const apiCalls = (apiUrl: string, token: string): OperatorCalls => {
  const call = async <T>(route: string, json?: object): Promise<T> => {
    try {
      return await callApi<T>(apiUrl, route, { token, json });
    } catch (error) {
      // What the API says is meant for people; a proxy in between may say anything.
      if (error instanceof CallError && error.detail) throw new Error(error.detail, { cause: error });
      throw error;
    }
  };
  const ofUser = (user: string, path: string) => `/users/${encodeURIComponent(user)}/${path}`;
  const asOperator = 'as=operator';
  const decide = {
    cancel: (path: string) => `DELETE ${path}`,
    retry: (path: string) => `POST ${path}/retry`,
    skip: (path: string) => `POST ${path}/skip`,
  };
  return {
    stuck: (limit) => call(`GET /stuck?${queryOf({ limit })}`),
    deadLetters: (query) => call(`GET /dead-letters?${queryOf(query)}`),
    decide: (decision, selection) => call(`POST /dead-letters/${decision}`, selection),
    requests: (user, query) => call(`GET ${ofUser(user, 'requests')}?${asOperator}&${queryOf(query)}`),
    request: (user, seq) => call(`GET ${ofUser(user, `requests/${seq}`)}?${asOperator}`),
    decideRequest: (decision, user, seq) => call(`${decide[decision](ofUser(user, `requests/${seq}`))}?${asOperator}`),
    close: async () => undefined,
  };
};
