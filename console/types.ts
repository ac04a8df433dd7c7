/** What the API answers, by the names that the pages use. */
import type { components } from '../client/api.ts';

type Schemas = components['schemas'];

export type Overview = Schemas['Overview'];
export type UserPage = Schemas['UserPage'];
export type User = Schemas['User'];
export type Queue = Schemas['Queue'];
export type Verdict = Schemas['Verdict'];
export type EventPage = Schemas['EventPage'];
export type RequestState = Schemas['Request'];
export type WholeRequest = Schemas['WholeRequest'];
export type Attempt = Schemas['Attempt'];
export type Lanes = Schemas['Lanes'];
export type RequestPage = Schemas['RequestPage'];
export type DeadLetterPage = Schemas['DeadLetterPage'];
