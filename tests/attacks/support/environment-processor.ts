/** Returns its environment. The request `isolated` ends its worker, so that it runs again in an isolated process. */
import cluster from 'node:cluster';
import process from 'node:process';

export default (request: unknown) => {
  if (request === 'isolated' && cluster.isWorker) process.exit(1);
  return { isolated: !cluster.isWorker, environment: process.env };
};
