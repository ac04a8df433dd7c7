/** Places of a process for calls that stay for long: how many a session, a user, an API key and all together may have. */

/** Who takes a place: a session of a user, or a back end with an API key, for whichever users. */
export type PlaceOwner =
  | { userId: string; sessionId: string; keyId?: undefined }
  | { keyId: string; userId?: string; sessionId?: undefined };

export type PlaceLimits = {
  all: number;
  perUser: number;
  perSession: number;
  perKey: number;
  /** The error of whoever has as many as it may have. */
  tooMany(whose: 'session' | 'user' | 'key', limit: number): Error;
  /** The error when all are taken. */
  full(limit: number): Error;
};

type Place = { sessionId: string | undefined; end: () => void };

/** Whose places the calls share. */
const nameOf = (owner: PlaceOwner): string =>
  owner.keyId === undefined ? `user ${owner.userId}` : `key ${owner.keyId}`;

const checkLimits = (own: ReadonlySet<Place>, { keyId, sessionId }: PlaceOwner, limits: PlaceLimits): void => {
  const { perUser, perSession, perKey, tooMany } = limits;
  if (keyId !== undefined) {
    if (own.size >= perKey) throw tooMany('key', perKey);
    return;
  }
  let ofSession = 0;
  for (const place of own) if (place.sessionId === sessionId) ofSession += 1;
  if (ofSession >= perSession) throw tooMany('session', perSession);
  if (own.size >= perUser) throw tooMany('user', perUser);
};

/**
 * When the process is full, a call of an owner with at least two fewer than the owner with the most takes the place of that owner's oldest
 * one, which `end` ends. With one fewer, the two owners would take that place from each other for ever.
 *
 * `take` returns what gives the place of a call back.
 */
export const createPlaces = (limits: PlaceLimits) => {
  const byOwner = new Map<string, Set<Place>>();
  let size = 0;

  const giveBack = (owner: string, place: Place): void => {
    const own = byOwner.get(owner);
    if (!own?.delete(place)) return;
    size -= 1;
    if (own.size === 0) byOwner.delete(owner);
  };

  const makeRoomFor = (count: number): void => {
    let most: { owner: string; places: Set<Place> } | undefined;
    for (const [owner, places] of byOwner) {
      if (places.size > (most?.places.size ?? 0)) most = { owner, places };
    }
    const [oldest] = most?.places ?? [];
    if (!most || !oldest || count + 1 >= most.places.size) throw limits.full(limits.all);
    giveBack(most.owner, oldest);
    oldest.end();
  };

  const take = (owner: PlaceOwner, end: () => void): (() => void) => {
    const name = nameOf(owner);
    const own = byOwner.get(name) ?? new Set();
    checkLimits(own, owner, limits);
    if (size >= limits.all) makeRoomFor(own.size);
    const place = { sessionId: owner.sessionId, end };
    byOwner.set(name, own.add(place));
    size += 1;
    return () => giveBack(name, place);
  };
  return { take, taken: () => size };
};
