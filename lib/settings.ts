/** Every environment variable: its name, who reads it, and what it may be. Everything else about them is derived from this table. */
import { consumerSettings } from './settings/consumer.ts';
import { functionSettings } from './settings/functions.ts';
import { sharedSettings } from './settings/shared.ts';

export type { Role } from './settings/setting.ts';

/** Every environment variable. Units are in the names. An empty variable counts as not set. */
export const settings = { ...sharedSettings, ...functionSettings, ...consumerSettings } as const;
