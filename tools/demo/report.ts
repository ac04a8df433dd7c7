import type { UserHistory, Verdict } from './verdict.ts';

/** More would hide the other promises. */
const faultsShown = 5;

const describeFaults = (faults: string[]): string[] => [
  ...faults.slice(0, faultsShown).map((fault) => `      ${fault}`),
  ...(faults.length > faultsShown ? [`      and ${faults.length - faultsShown} more`] : []),
];

/** @param seconds from the first request to the last settlement. */
export const describeVerdict = (users: UserHistory[], { kept, checks }: Verdict, seconds: number): string => {
  const accepted = users.reduce((sum, { sent }) => sum + sent.length, 0);
  const again = users.flatMap(({ entries }) => entries).filter(({ attempts }) => (attempts ?? 0) > 1).length;
  return [
    ...checks.flatMap(({ promise, faults }) => [
      `  ${faults.length === 0 ? '✔' : '✘'} ${promise}`,
      ...describeFaults(faults),
    ]),
    '',
    `${accepted} requests of ${users.length} users in ${seconds.toFixed(1)} s` +
      (again > 0 ? `; ${again} needed more than one attempt.` : '.'),
    kept ? 'Every promise was kept.' : 'NOT every promise was kept.',
  ].join('\n');
};
