import { stdout } from 'node:process';
import { expect, test } from '@jest/globals';
import mongoose from 'mongoose';
import { mongod } from '../../tools/services/mongodb.ts';
import { privateMongodb } from './private-servers.ts';
import { asReplicaSet, canStepDown, stepDown } from './replica-set.ts';

test('mongod is started as a member of a replica set, and reached at the address that clients are given', () => {
  const launch = asReplicaSet(mongod('/usr/bin/mongod'))('27000', '/data');
  expect(launch.args.join(' ')).toContain(
    '--port 27000 --bind_ip 127.0.0.1 --dbpath /data --quiet --replSet lanekeeper',
  );
  expect(launch.query).toBe('?directConnection=true');
  expect(launch.initiate).toBeDefined();
});

test('a server that steps down takes no writes for a while, and then takes them again with its data', async () => {
  await using mongodb = await privateMongodb();
  if (!(await canStepDown(mongodb.url))) {
    stdout.write('this MongoDB cannot step down: what happens then is not tested here\n');
    return;
  }
  await using client = await new mongoose.mongo.MongoClient(mongodb.url, { retryWrites: false }).connect();
  const documents = client.db().collection<{ _id: number }>('documents');
  await documents.insertOne({ _id: 1 });
  let down = true;
  const back = stepDown(mongodb.url, 2).finally(() => {
    down = false;
  });
  const refusals: unknown[] = [];
  for (let _id = 2; down; _id += 1) await documents.insertOne({ _id }).catch(({ code }) => refusals.push(code));
  await back;
  expect(new Set(refusals)).toEqual(new Set([10_107]));
  await documents.insertOne({ _id: -1 });
  expect(await documents.countDocuments({ _id: 1 })).toBe(1);
}, 120_000);
