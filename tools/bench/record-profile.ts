/**
 * Loaded into a measured process by `--import`: SIGUSR2 starts the CPU profiler, the next one writes what it recorded to
 * the folder that PROFILE_FOLDER names. So the start of the process is not in the profile.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import { env, pid } from 'node:process';

const session = new Session();
let recording = false;

const toggle = async (): Promise<void> => {
  recording = !recording;
  if (recording) {
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(join(env.PROFILE_FOLDER ?? '.', `${pid}.cpuprofile`), JSON.stringify(profile));
};

process.on('SIGUSR2', () => void toggle());
