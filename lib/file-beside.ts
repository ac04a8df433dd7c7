import { extname } from 'node:path';

/**
 * The URL of a file that a process, a thread or a route starts by its name: `.ts` in the checkout, `.js` in the package, as the
 * file that asks.
 *
 * @param asking `import.meta.url`
 * @param path from there, without an extension
 */
export const fileBeside = (asking: string, path: string): URL => new URL(`${path}${extname(asking)}`, asking);
