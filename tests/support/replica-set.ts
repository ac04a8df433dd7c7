/** A private MongoDB as a replica set of one member, which can step down. */
import { setTimeout as pause } from 'node:timers/promises';
import mongoose from 'mongoose';
import type { MongoProgram } from '../../tools/services/mongodb.ts';

const name = 'lanekeeper';
const alreadyInitialized = 23;
const noSuchCommand = 59;
const limits = { serverSelectionTimeoutMS: 2_000, connectTimeoutMS: 2_000 };

const withAdmin = async <T>(url: string, act: (admin: mongoose.mongo.Admin) => Promise<T>): Promise<T> => {
  const client = new mongoose.mongo.MongoClient(url, { ...limits, directConnection: true });
  return act(client.db().admin()).finally(() => client.close());
};

/** An earlier start may have done it. */
const initiate = (url: string, member: string): Promise<void> =>
  withAdmin(url, async (admin) => {
    const config = { _id: name, members: [{ _id: 0, host: member }] };
    await admin.command({ replSetInitiate: config }).catch((error) => {
      if (error.code !== alreadyInitialized) throw error;
    });
  });

/**
 * The stand-in is a replica set by itself. Clients stay with the address that they are given, which may be that of a proxy:
 * without `directConnection` they would go on to the address that the replica set names.
 */
export const asReplicaSet =
  (program: MongoProgram): MongoProgram =>
  (port, dataFolder) => {
    const launch = program(port, dataFolder);
    if (!launch.args.includes('--dbpath')) return launch;
    return {
      ...launch,
      args: [...launch.args, '--replSet', name],
      query: '?directConnection=true',
      initiate: (url) => initiate(url, `127.0.0.1:${port}`),
    };
  };

/** For so long it takes no writes. Resolves when it takes them again: a set of one member elects the same server. */
export const stepDown = (url: string, seconds: number): Promise<void> =>
  withAdmin(url, async (admin) => {
    await admin.command({ replSetStepDown: seconds, force: true });
    while ((await admin.command({ hello: 1 })).isWritablePrimary !== true) await pause(50);
  });

/** Whether the server can step down: it is asked to, for a second. One that is no replica set cannot, and not every stand-in. */
export const canStepDown = async (url: string): Promise<boolean> => {
  const isMember = await withAdmin(url, async (admin) => (await admin.command({ hello: 1 })).setName !== undefined);
  if (!isMember) return false;
  return stepDown(url, 1).then(
    () => true,
    (error) => {
      if (error.code === noSuchCommand) return false;
      throw error;
    },
  );
};
