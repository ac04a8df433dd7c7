/** `lanekeeper doctor [--role ROLE] [--json]`: checks everything that Lanekeeper needs here, and says what to do. It changes nothing. */
import { env, stdout } from 'node:process';
import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import type { Role } from '../../lib/settings.ts';
import type { Finding } from '../doctor/finding.ts';
import { runTool } from '../run-tool.ts';

type Options = { role?: 'api' | 'consumer'; json?: true };

const marks = { ok: ['green', '✔'], warning: ['yellow', '!'], broken: ['red', '✘'] } as const;

/** The found text may have several lines. */
const lineOf = ({ check, status, found, todo }: Finding): string => {
  const [color, mark] = marks[status];
  const text = found.replaceAll('\n', `\n${' '.repeat(4)}`);
  const advice = todo ? `\n    ${styleText('dim', `→ ${todo}`)}` : '';
  return `${styleText(color, mark)} ${styleText('bold', check)}: ${text}${advice}`;
};

const summaryOf = (findings: Finding[]): string => {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  if (count('broken') > 0) return `${count('broken')} broken, ${count('warning')} to look at.`;
  return count('warning') > 0 ? `Nothing is broken; ${count('warning')} to look at.` : 'Everything is in order.';
};

const doctor = async ({ role, json }: Options): Promise<number> => {
  const { examine } = await import('../doctor/examine.ts');
  const roles: Role[] = role === 'api' ? ['functions'] : role === 'consumer' ? ['consumer'] : ['functions', 'consumer'];
  const findings = await examine(env, roles);
  const isBroken = findings.some(({ status }) => status === 'broken');
  if (json) stdout.write(`${JSON.stringify({ broken: isBroken, findings }, undefined, 2)}\n`);
  else stdout.write(`${findings.map(lineOf).join('\n')}\n\n${summaryOf(findings)}\n`);
  return isBroken ? 1 : 0;
};

export const command = (): Command =>
  new Command()
    .addOption(
      new Option('--role <role>', 'check what this process needs; both by default').choices(['api', 'consumer']),
    )
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nEnds with 1 when something is broken.')
    .action((options) => runTool(() => doctor(options)));
