import { setTimeout as sleep } from 'node:timers/promises';

const answersOk = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
};

/** Returns early when it is over. @throws {Error} when one of the URLs did not answer 2xx in time. */
export const untilAllAnswer = async (urls: string[], timeoutMs: number, isOver: () => boolean): Promise<void> => {
  const deadline = Date.now() + timeoutMs;
  for (const url of urls) {
    while (!(await answersOk(url))) {
      if (isOver()) return;
      if (Date.now() > deadline) throw new Error(`${url} did not answer within ${timeoutMs / 1_000} s.`);
      await sleep(100);
    }
  }
};
