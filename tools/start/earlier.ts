/** What an earlier `npm start` of this checkout left: each notes its processes, and takes the note back when it ends. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder, readJson, writeJson } from '../services/private-server.ts';
import { birthOf, isAlive, processOf, type StartedProcess } from '../services/processes.ts';

type Child = StartedProcess & { name: string };

/** `starter`: the `npm start` itself. */
export type StartNote = { port: number; command: string; starter: StartedProcess; children: Child[] };

/** The start that looks for earlier ones: `command` as people type it, `folder` with the notes in `.data`. */
export type Place = { folder: string; command: string; say: (name: string, line: string) => void };

/** Above the time in which the processes end by themselves; see end-with-parent.ts. */
const endsWithinMs = 6_000;
const checkEveryMs = 100;

const folderOf = (root: string): string => makeFolder(root, '.data', 'start');
const fileOf = (root: string, port: number): string => join(folderOf(root), `${port}.json`);

/** Call it again with each process that is started. */
export const noteStart = (
  { folder, command }: Place,
  port: number,
  children: { name: string; pid: number | undefined }[],
): void => {
  const started = children.flatMap(({ name, pid }) => {
    const birth = pid === undefined ? undefined : birthOf(pid);
    return pid === undefined || birth === undefined ? [] : [{ name, pid, birth }];
  });
  writeJson(fileOf(folder, port), {
    port,
    command,
    starter: processOf(process.pid),
    children: started,
  } satisfies StartNote);
};

export const forgetStart = (root: string, port: number): void => rmSync(fileOf(root, port), { force: true });

const killGroup = ({ pid }: Child): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const about = ({ port, command, starter }: StartNote): string =>
  `An earlier ${command} (process ${starter.pid}, port ${port}) ended without stopping its processes.`;

/** Waits for the processes to end, which they do by themselves, and kills those that do not. */
const clearUp = async (note: StartNote, { say }: Place): Promise<void> => {
  const left = () => note.children.filter(isAlive);
  const names = left().map(({ name, pid }) => `${name} (process ${pid})`);
  if (names.length === 0) return say('start', `${about(note)} They have ended.`);
  say('start', `${about(note)} Waiting for them to end: ${names.join(', ')}.`);
  for (let waitedMs = 0; left().length > 0 && waitedMs < endsWithinMs; waitedMs += checkEveryMs)
    await sleep(checkEveryMs);
  for (const child of left()) {
    killGroup(child);
    say('start', `Killed the ${child.name} (process ${child.pid}): it did not end.`);
  }
};

/** Ends what a killed `npm start` left, and says so. Returns the notes of those that still run. */
export const clearUpEarlier = async (place: Place): Promise<StartNote[]> => {
  const running: StartNote[] = [];
  for (const name of readdirSync(folderOf(place.folder))) {
    const file = join(folderOf(place.folder), name);
    const note = readJson<StartNote>(file);
    if (note && isAlive(note.starter)) running.push(note);
    else if (note) {
      await clearUp(note, place);
      rmSync(file, { force: true });
    }
  }
  return running;
};
