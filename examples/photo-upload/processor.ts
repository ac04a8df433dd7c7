/** Looks at one photo. The photos of a user come here in the order in which they were chosen, one at a time. */
import { createHash } from 'node:crypto';
import { env } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Processor, UnrecoverableError } from 'lanekeeper';

/** In the place of the work that photos make: scaling, recognizing, filing. */
const workMs = Number(env.PHOTO_MS ?? 800);

export default (async (request, { signal }) => {
  const { id } = request as { id?: string };
  const response = await fetch(`${env.PHOTOS_URL}/${id}`, { signal });
  if (response.status === 404) throw new UnrecoverableError(`There is no photo ${id}.`);
  if (!response.ok) throw new Error(`The photos answered ${response.status}.`); // Runs again, in its place.
  const photo = new Uint8Array(await response.arrayBuffer());
  await sleep(workMs, undefined, { signal });
  return { bytes: photo.length, sha256: createHash('sha256').update(photo).digest('hex') };
}) satisfies Processor;
