/** Ends its process during the request `crash`, except in an isolated process. */
export const policy = { maxAttempts: 2 };
export default (request, { user, seq }) => {
  if (request === 'crash' && !process.argv[1]?.includes('isolated-run')) process.exit(1);
  return { user, seq, pid: process.pid };
};
