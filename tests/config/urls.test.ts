/** A URL that could not be used is refused at start, by what is wrong with it, and never shown: it may hold a password. */
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../lib/config.ts';

const faultOf = (name: string, url: string): string => {
  try {
    loadConfig({ [name]: url }, 'consumer');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'none';
};

const amqp = 'RABBITMQ_URL';
const mongodb = 'MONGODB_URL';
const webhook = 'WEBHOOK_URL';

describe('a URL that is taken', () => {
  test.each([
    [amqp, 'amqp://127.0.0.1:5672'],
    [amqp, 'amqps://user:p%23ss%25@broker.example:5671/%2Fvhost?heartbeat=5'],
    [amqp, 'amqp://user:p@ss@broker'],
    [amqp, 'amqp://[::1]:5672'],
    [mongodb, 'mongodb://127.0.0.1:27017/lanekeeper?directConnection=true'],
    [mongodb, 'mongodb://user:p%40ss@one.example:27017,two.example,[::1]:27019/lanekeeper?replicaSet=rs'],
    [mongodb, 'mongodb://user@host?appName=a'],
    [mongodb, 'mongodb+srv://user:pass@cluster.example.net/lanekeeper?retryWrites=true'],
    [mongodb, 'mongodb://%2Ftmp%2Fmongodb-27017.sock/lanekeeper'],
    [webhook, 'https://hooks.example/@team?key=1'],
  ])('%s=%s', (name, url) => {
    expect(faultOf(name, url)).toBe('none');
  });
});

describe('a URL that is refused', () => {
  test.each([
    [amqp, 'rabbitmq.example:5672', 'must start with amqp:// or amqps://'],
    [amqp, 'amqp://', 'must name a host'],
    [amqp, 'amqp:///vhost', 'must name a host'],
    [amqp, 'amqp://:5672', 'must name a host'],
    [amqp, 'amqp://user:secret@', 'must name a host'],
    [amqp, 'amqp://broker:99999', 'has a port that is not 1 to 65535'],
    [amqp, 'amqp://broker:0', 'has a port that is not 1 to 65535'],
    [amqp, 'amqp://broker:port', 'has a port that is not 1 to 65535'],
    [amqp, 'amqp://user:se#cret@broker', 'has a #: in a user name or password it is written %23'],
    [amqp, 'amqp://secret#:x@broker', 'has a #'],
    [amqp, 'amqp://user:1/secret@broker', 'has an @ behind its host'],
    [amqp, 'amqp://user:secret/2@broker', 'has an @ behind its host'],
    [amqp, 'amqp://user:secret%@broker', 'has a % that begins no code: it is written %25'],
    [amqp, 'amqp://broker/secret%', 'has a % that begins no code'],
    [amqp, 'amqp://one,two', 'must name one host'],
    [amqp, 'amqp://bro ker', 'has a host that is no name and no address'],
    [mongodb, 'http://host', 'must start with mongodb:// or mongodb+srv://'],
    [mongodb, 'mongodb://', 'must name a host'],
    [mongodb, 'mongodb:///lanekeeper', 'must name a host'],
    [mongodb, 'mongodb://one,,two/lanekeeper', 'must name a host'],
    [mongodb, 'mongodb://h:99999/x', 'has a port that is not 1 to 65535'],
    [mongodb, 'mongodb://one:27017,two:0/x', 'has a port that is not 1 to 65535'],
    [mongodb, 'mongodb://user:se#cret@host/x', 'has a #'],
    [mongodb, 'mongodb://user:se?cret@host/x', 'has an @ behind its host'],
    [mongodb, 'mongodb://user:secret@1@host/x', 'has more than one @: in a user name or password it is written %40'],
    [mongodb, 'mongodb://user:secret%zz@host/x', 'has a % that begins no code'],
    [mongodb, 'mongodb+srv://one.example.net,two.example.net/x', 'must name one host and no port'],
    [mongodb, 'mongodb+srv://one.example.net:27017/x', 'must name one host and no port'],
    [webhook, 'ftp://hooks.example', 'must start with http:// or https://'],
    [webhook, 'http://', 'must name a host'],
    [webhook, 'http://hooks.example:99999/', 'has a port that is not 1 to 65535'],
    [webhook, 'https://user:secret@hooks.example/', 'must not hold a user name or password'],
  ])('%s=%s: %s', (name, url, fault) => {
    const message = faultOf(name, url);
    expect(message).toContain(`${name} ${fault}`);
    expect(message).not.toMatch(/secret|se[#?]cret|cret@/);
  });

  test('is told beside every other fault', () => {
    const load = () => loadConfig({ RABBITMQ_URL: 'amqp://', MONGODB_URL: 'mongodb://', LANES: 'many' }, 'consumer');
    expect(load).toThrow(/MONGODB_URL[\s\S]*RABBITMQ_URL[\s\S]*LANES/);
  });
});
