/**
 * Loads the functions of all routes and ends. In a build of the image `functions`, NODE_COMPILE_CACHE makes Node keep their compiled code
 * for the cold starts.
 */
import { exit } from 'node:process';
import { handlerOf, readRoutes } from '../lib/gateway/routes.ts';

for (const route of await readRoutes()) await handlerOf(route);
exit();
