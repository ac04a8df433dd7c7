/** All checks of `lanekeeper doctor`, in the order in which a person repairs things. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cwd } from 'node:process';
import { type Config, ConfigError, loadConfig } from '../../lib/config.ts';
import { resolveSecrets } from '../../lib/secrets.ts';
import { type Role, settings } from '../../lib/settings.ts';
import { docsFile } from '../run-tool.ts';
import { asInDevelopment } from '../services/chosen.ts';
import { broken, type Finding, messageOf, ok } from './finding.ts';
import { checkNode, checkOpenFiles, checkPort, checkProcessor } from './host.ts';
import { checkMongodb } from './mongodb.ts';
import { checkRabbitmq } from './rabbitmq.ts';

/** What `lanekeeper dev` of this folder would add. */
const inDevelopment = (given: NodeJS.ProcessEnv, chosen: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const secret = join(cwd(), '.data', 'jwt-secret');
  const kept = existsSync(secret) ? readFileSync(secret, 'utf8').trim() : undefined;
  return { ...chosen, AUTO_MIGRATE: given.AUTO_MIGRATE || '1', JWT_SECRET: given.JWT_SECRET || kept };
};

const roleNames: Record<Role, string> = { functions: 'API', consumer: 'consumer' };

const readEnvironment = async (
  env: NodeJS.ProcessEnv,
  role: Role,
): Promise<{ finding: Finding; config: Config | undefined }> => {
  const check = `environment (${roleNames[role]})`;
  try {
    const resolved = await resolveSecrets(env, role);
    const chosen = asInDevelopment(resolved, role);
    const given = chosen ? inDevelopment(resolved, chosen) : resolved;
    const config = loadConfig(given, role);
    const set = Object.values(settings).filter(({ name }) => given[name]).length;
    const from = chosen ? ', servers from .data/services.json' : '';
    return { finding: ok(check, `${set} settings, all valid${from}`), config };
  } catch (error) {
    const page = error instanceof ConfigError ? docsFile('configuration.md') : undefined;
    const todo = page ? `${page} has every setting.` : 'Correct the environment.';
    return { finding: broken(check, messageOf(error), todo), config: undefined };
  }
};

/** Checks the roles, and changes nothing. Where the environment of a role is invalid, the checks that need it are left out. */
export const examine = async (env: NodeJS.ProcessEnv, roles: Role[]): Promise<Finding[]> => {
  const findings: Finding[] = [checkNode()];
  const configs = new Map<Role, Config>();
  for (const role of roles) {
    const { finding, config } = await readEnvironment(env, role);
    findings.push(finding);
    if (config) configs.set(role, config);
  }
  for (const [role, config] of configs) findings.push(checkOpenFiles(role, config), await checkPort(role, config));
  const [any] = configs.values();
  if (any) {
    const urls = Object.fromEntries([...configs].map(([role, { rabbitmqUrl }]) => [role, rabbitmqUrl]));
    findings.push(...(await checkMongodb(any)), ...(await checkRabbitmq(urls, any)));
  }
  const consumer = configs.get('consumer');
  if (consumer) findings.push(await checkProcessor(consumer));
  return findings;
};
