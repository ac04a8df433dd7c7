/** Reads what user code threw. That may be anything: an object whose getters throw, a proxy, a cycle. Nothing here throws. */

const maxDepth = 3;
const maxMembers = 20;
const maxTextLength = 200;

export const clip = (text: string, length: number): string =>
  (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed();

const attempt = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/** False for what cannot be asked, like a revoked proxy. */
export const isError = (thrown: unknown): thrown is Error => attempt(() => thrown instanceof Error) ?? false;

/** The parts of an `AggregateError`: so many at most. */
export const partsOf = (thrown: unknown, most: number): unknown[] =>
  attempt(() => {
    const parts = propertyOf(thrown, 'errors');
    return Array.isArray(parts) ? parts.slice(0, most) : [];
  }) ?? [];

/** A property of a thrown value; `undefined` when its getter throws. */
export const propertyOf = (thrown: unknown, property: string): unknown =>
  attempt(() => (thrown as Record<string, unknown> | null | undefined)?.[property]);

/** A getter is not called: it may throw, take long, or have an effect. */
const ownValue = (object: object, key: string): unknown =>
  attempt(() => Object.getOwnPropertyDescriptor(object, key))?.value;

const memberText = (object: object, key: string, depth: number): string => {
  const isGetter = attempt(() => Object.getOwnPropertyDescriptor(object, key)?.get !== undefined);
  return isGetter ? '[getter]' : describe(ownValue(object, key), depth + 1);
};

const classOf = (object: object): string | undefined => {
  const prototype: unknown = attempt(() => Object.getPrototypeOf(object));
  const maker = prototype && ownValue(prototype, 'constructor');
  const name = typeof maker === 'function' ? ownValue(maker, 'name') : undefined;
  return typeof name === 'string' && name !== 'Object' ? name : undefined;
};

const withRest = (shown: string[], isComplete: boolean): string => [...shown, ...(isComplete ? [] : ['…'])].join(', ');

const objectText = (object: object, depth: number): string => {
  if (attempt(() => Array.isArray(object))) {
    // A proxy may call anything its length.
    const found = ownValue(object, 'length');
    const length = typeof found === 'number' ? found : 0;
    const shown = Array.from({ length: Math.min(length, maxMembers) }, (_, at) => memberText(object, `${at}`, depth));
    return `[${withRest(shown, length <= maxMembers)}]`;
  }
  const name = classOf(object);
  const keys = attempt(() => Object.keys(object)) ?? [];
  const members = keys
    .slice(0, maxMembers)
    .map((key) => `${clip(key, maxTextLength)}: ${memberText(object, key, depth)}`);
  const shown = members.length === 0 ? '{}' : `{ ${withRest(members, keys.length <= maxMembers)} }`;
  return name === undefined ? shown : `${name} ${shown}`;
};

/** Any value as text for people, bounded in length and depth. A cycle ends at the depth. */
export const describe = (value: unknown, depth = 0): string => {
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(clip(value, maxTextLength));
  if (typeof value === 'function') return '[function]';
  if (typeof value !== 'object' || value === null) return clip(String(value), maxTextLength);
  const message = isError(value) ? ownValue(value, 'message') : undefined;
  if (typeof message === 'string') return JSON.stringify(clip(message, maxTextLength));
  return depth === maxDepth ? '…' : objectText(value, depth);
};
