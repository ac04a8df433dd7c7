/** Numbers and times as people read them. */
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export const duration = (ms: number): string => {
  if (ms < second) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * second) return `${(ms / second).toFixed(1).replace(/\.0$/, '')} s`;
  if (ms < minute) return `${Math.floor(ms / second)} s`;
  if (ms < hour) return `${Math.floor(ms / minute)} min`;
  if (ms < day) return `${Math.floor(ms / hour)} h ${Math.floor((ms % hour) / minute)} min`;
  return `${Math.floor(ms / day)} d ${Math.floor((ms % day) / hour)} h`;
};

const isToday = (date: Date): boolean => date.toDateString() === new Date().toDateString();

/** With the day where it is another one. */
export const clockTime = (time: string | number | Date): string => {
  const date = new Date(time);
  const clock = date.toLocaleTimeString('en-GB');
  return isToday(date) ? clock : `${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${clock}`;
};

export const count = (value: number): string => value.toLocaleString('en-GB');

export const plural = (value: number, one: string, many = `${one}s`): string =>
  value === 1 ? `1 ${one}` : `${count(value)} ${many}`;

const shownRanges = 12;

/** Of ascending numbers, such as `0–3, 7`. The first few of a long list. */
export const ranges = (numbers: number[]): string => {
  const found: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = found.at(-1);
    if (range && range[1] === number - 1) range[1] = number;
    else found.push([number, number]);
  }
  const left = found.splice(shownRanges).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const shown = found.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(', ');
  return left === 0 ? shown : `${shown} and ${count(left)} more`;
};

export const verdictNames: Record<string, string> = {
  idle: 'idle',
  draining: 'draining',
  running: 'running',
  next: 'next',
  'waiting-for-slot': 'waits for a slot',
  'between-attempts': 'between attempts',
  blocked: 'blocked',
  'unresponsive-run': 'unresponsive run',
  'no-worker': 'no worker',
  'broker-away': 'RabbitMQ away',
  'worker-hung': 'worker silent',
  'lane-without-owner': 'lane without owner',
};

export type Tone = 'good' | 'calm' | 'warn' | 'bad';

const tones: Record<string, Tone> = {
  idle: 'calm',
  draining: 'calm',
  running: 'good',
  next: 'good',
  'waiting-for-slot': 'warn',
  'between-attempts': 'warn',
  done: 'good',
  processing: 'good',
  queued: 'calm',
  cancelled: 'calm',
  abandoned: 'calm',
  serving: 'good',
  gone: 'calm',
};

/** How many colors style.css has for the workers that own lanes. */
export const ownerColors = 8;

/** Of a verdict, a status or the state of a worker. What is not named here is bad. */
export const toneOf = (code: string): Tone => tones[code] ?? 'bad';
