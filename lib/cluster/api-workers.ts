/** Whether this process is a worker of the API's primary: node:cluster calls those a worker, too, that another program forks, such as pm2. */
import cluster from 'node:cluster';

const variable = 'LANEKEEPER_API_WORKER';

/** The primary adds it to the environment of its workers. */
export const apiWorkerEnv = { [variable]: '1' };

export const isApiWorker = (): boolean => cluster.isWorker && process.env[variable] === '1';
