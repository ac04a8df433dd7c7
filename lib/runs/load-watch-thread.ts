/** Watches from a thread how a processor loads: an import may block the main thread, which can then say nothing itself. */
import { writeSync } from 'node:fs';
import { Session } from 'node:inspector';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';

/** `fields`: those of each line. `mayPause`: nobody debugs this process. */
export type LoadWatch = { fields: object; everyMs: number; mayPause: boolean };

/** A main thread that runs code stops within milliseconds, unless the machine is busy. One that waits does not stop. */
const pauseMs = 1_000;
const stdout = 1;
const warn = 40;

/** The file and line whose code the main thread runs right now; `undefined` when it waits. It is paused for a moment. */
const currentPlace = async (): Promise<string | undefined> => {
  const session = new Session();
  const paused = Promise.withResolvers<string | undefined>();
  const urls = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }) => urls.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }) => {
    session.post('Debugger.resume');
    const places = params.callFrames.map(({ location }) => ({ ...location, url: urls.get(location.scriptId) ?? '' }));
    const place = places.find(({ url }) => url.startsWith('file:'));
    paused.resolve(place && `${fileURLToPath(place.url)}:${place.lineNumber + 1}`);
  });
  session.connectToMainThread();
  try {
    session.post('Debugger.enable');
    session.post('Debugger.pause');
    return await Promise.race([paused.promise, setTimeout(pauseMs, undefined)]);
  } finally {
    session.disconnect();
  }
};

const { fields, everyMs, mayPause } = workerData as LoadWatch;
const since = performance.now();
for (;;) {
  await setTimeout(everyMs);
  const seconds = Math.round((performance.now() - since) / 1_000);
  const place = mayPause ? await currentPlace().catch(() => undefined) : undefined;
  const what = place ? `its import runs ${place}` : 'it waits, as at a top-level await';
  const line = { level: warn, time: new Date().toISOString(), ...fields, seconds, place };
  writeSync(stdout, `${JSON.stringify({ ...line, msg: `the processor has not loaded yet: ${what}` })}\n`);
}
