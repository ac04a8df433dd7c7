/**
 * The users of a RabbitMQ that this checkout starts: an administrator, and for each role one that may do only what the role
 * needs. docker-compose.yml has the same, without the administrator.
 */
import { createHmac } from 'node:crypto';
import type { Role } from '../../lib/settings.ts';

type Permissions = { configure: string; write: string; read: string };

export const administrator = 'lanekeeper';
export const userOfRole: Record<Role, string> = { functions: 'lanekeeper-functions', consumer: 'lanekeeper-consumer' };

/** RabbitMQ calls the default exchange so when it checks permissions. Hints go to the other one. */
const exchanges = 'amq\\.(default|direct)';

/** @param prefix a regular expression for `QUEUE_PREFIX`. */
export const permissionsOfRole = (prefix: string): Record<Role, Permissions> => {
  const queues = `^${prefix}(lane|user)\\.`;
  // The queues in which an API hears of its users: each is one connection's alone.
  const hints = `${prefix}hints\\.`;
  return {
    functions: { configure: `^${hints}`, write: `^(${exchanges}$|${hints})`, read: `^(amq\\.direct$|${hints})` },
    consumer: { configure: queues, write: `^${exchanges}$`, read: queues },
  };
};

/** Nobody who knows the password of a role can find out that of another one. */
const passwordOfRole = (password: string, role: Role): string =>
  createHmac('sha256', password).update(role).digest('base64url');

/** The URL for a role, from that of the administrator, which may name several hosts. */
export const urlForRole = (url: string, role: Role): string =>
  url.replace(/\/\/[^/?#]*@/, (user) => {
    const { password } = new URL(`amqp:${user}host`);
    return `//${userOfRole[role]}:${passwordOfRole(password, role)}@`;
  });

const anyPrefix = '[A-Za-z0-9._-]*';

/** What `load_definitions` reads. RabbitMQ creates no guest when it has definitions. */
export const definitions = (password: string): object => {
  const roles = Object.entries(permissionsOfRole(anyPrefix)) as [Role, Permissions][];
  return {
    users: [
      { name: administrator, password, tags: 'administrator' },
      ...roles.map(([role]) => ({ name: userOfRole[role], password: passwordOfRole(password, role), tags: '' })),
    ],
    vhosts: [{ name: '/' }],
    permissions: [
      { user: administrator, vhost: '/', configure: '.*', write: '.*', read: '.*' },
      ...roles.map(([role, permissions]) => ({ user: userOfRole[role], vhost: '/', ...permissions })),
    ],
  };
};
