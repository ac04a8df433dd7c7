/** A primary of node:cluster that is not ours and knows nothing of the API, such as that of `pm2 -i 2`. Ends with its workers. */
import cluster from 'node:cluster';

cluster.setupPrimary({ exec: 'functions/api.ts' });
const workers = [cluster.fork(), cluster.fork()];
process.on('SIGTERM', () => {
  for (const worker of workers) worker.process.kill('SIGTERM');
});
process.exitCode = 0;
cluster.on('exit', (_worker, code: number | null) => {
  process.exitCode = Math.max(Number(process.exitCode), code ?? 1);
});
