/** A URL that a driver could not use is refused at start. The message never shows the URL: it may hold a password. */
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../lib/config.ts';

const messageOf = (name: string, url: string): string => {
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

describe('a URL that is accepted', () => {
  test.each([
    [amqp, 'amqp://127.0.0.1:5672'],
    [amqp, 'amqps://user:p%23ss%25@broker.example:5671/%2Fvhost?heartbeat=5'],
    [amqp, 'amqp://user:p%40ss@one,two'],
    [amqp, 'amqp://user@broker'],
    [amqp, 'amqp://[::1]:5672'],
    [amqp, 'amqps://user:p,ss@one.example:5671,two.example,[::1]:5673/vhost?heartbeat=5'],
    [mongodb, 'mongodb://127.0.0.1:27017/lanekeeper?directConnection=true'],
    [mongodb, 'mongodb://user:p%40ss@one.example:27017,two.example,[::1]:27019/lanekeeper?replicaSet=rs'],
    [mongodb, 'mongodb://user@host?appName=a'],
    [mongodb, 'mongodb+srv://user:pass@cluster.example.net/lanekeeper?retryWrites=true'],
    [mongodb, 'mongodb://%2Ftmp%2Fmongodb-27017.sock/lanekeeper'],
    [webhook, 'https://hooks.example/@team?key=1'],
  ])('%s=%s', (name, url) => {
    expect(messageOf(name, url)).toBe('none');
  });
});

describe('a URL that is refused', () => {
  const forms = {
    [amqp]:
      'must have the form amqp://user:password@host:5672,host2:5672/vhost, or the same with amqps://, with special characters',
    [mongodb]:
      'must have the form mongodb://user:password@host:27017,host2:27017/database, or mongodb+srv:// with one host',
    [webhook]: 'must be an http:// or https:// URL without a user name or password',
  };

  test.each([
    [amqp, 'rabbitmq.example:5672'],
    [amqp, 'amqp://'],
    [amqp, 'amqp:///vhost'],
    [amqp, 'amqp://:5672'],
    [amqp, 'amqp://user:secret@'],
    [amqp, 'amqp://broker:99999'],
    [amqp, 'amqp://broker:0'],
    [amqp, 'amqp://broker:port'],
    [amqp, 'amqp://user:se#cret@broker'],
    [amqp, 'amqp://secret#:x@broker'],
    [amqp, 'amqp://user:1/secret@broker'],
    [amqp, 'amqp://user:secret/2@broker'],
    [amqp, 'amqp://user:secret%@broker'],
    [amqp, 'amqp://broker/secret%'],
    [amqp, 'amqp://one,,two'],
    [amqp, 'amqp://one,two,'],
    [amqp, 'amqp://one,two:0'],
    [amqp, 'amqp://one, two'],
    [amqp, 'amqp://one,amqp://two'],
    [amqp, 'amqp://user:secret@one,amqp://user:secret@two'],
    [amqp, 'amqp://user:secret@one,user:secret@two'],
    [amqp, 'amqp://user:secret@1@broker'],
    [amqp, 'amqp://secret@1@broker'],
    [amqp, 'amqp://@@broker'],
    [amqp, 'amqp://bro ker'],
    [mongodb, 'http://host'],
    [mongodb, 'mongodb://'],
    [mongodb, 'mongodb:///lanekeeper'],
    [mongodb, 'mongodb://one,,two/lanekeeper'],
    [mongodb, 'mongodb://h:99999/x'],
    [mongodb, 'mongodb://one:27017,two:0/x'],
    [mongodb, 'mongodb://user:se#cret@host/x'],
    [mongodb, 'mongodb://user:se?cret@host/x'],
    [mongodb, 'mongodb://user:secret@1@host/x'],
    [mongodb, 'mongodb://user:secret%zz@host/x'],
    [mongodb, 'mongodb+srv://one.example.net,two.example.net/x'],
    [mongodb, 'mongodb+srv://one.example.net:27017/x'],
    [mongodb, 'mongodb://se/cret@host/x'],
    [mongodb, 'mongodb://:secret@host/x'],
    [mongodb, 'mongodb://bro ker/x'],
    [mongodb, 'mongodb://host/secret%'],
    [mongodb, 'mongodb://host/x#secret'],
    [webhook, 'ftp://hooks.example'],
    [webhook, 'http://'],
    [webhook, 'http://hooks.example:99999/'],
    [webhook, 'https://user:secret@hooks.example/'],
    [webhook, 'hooks.example'],
    [webhook, 'http://hooks.example:0/'],
  ] as const)('%s=%s', (name, url) => {
    const message = messageOf(name, url);
    expect(message.split('\n')).toEqual(['Invalid environment:', expect.stringContaining(`- ${name} ${forms[name]}`)]);
    expect(message).not.toMatch(/secret|se[#?/]cret|cret@/);
  });

  test('has the same message whatever it is, so the message cannot show a part of it', () => {
    expect(messageOf(mongodb, 'mongodb://se/cret@host/x')).toBe(messageOf(mongodb, 'mongodb://'));
    expect(messageOf(amqp, 'amqp://user:se#cret@broker')).toBe(messageOf(amqp, 'amqp://'));
    expect(messageOf(webhook, 'https://user:secret@hooks.example/')).toBe(messageOf(webhook, 'http://'));
  });

  test('of RabbitMQ is told to encode an @ and to name the user once', () => {
    const message = messageOf(amqp, 'amqp://user:secret@one,user:secret@two');
    expect(message).toMatch(
      /amqp:\/\/user:password@host:5672,host2:5672\/vhost.*@ as %40.*the password once, before all hosts/,
    );
  });

  test('is reported beside every other validation error', () => {
    const load = () => loadConfig({ RABBITMQ_URL: 'amqp://', MONGODB_URL: 'mongodb://', LANES: 'many' }, 'consumer');
    expect(load).toThrow(/MONGODB_URL[\s\S]*RABBITMQ_URL[\s\S]*LANES/);
  });
});
