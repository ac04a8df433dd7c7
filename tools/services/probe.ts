/** Does a server answer, in its own protocol? A port that merely accepts says nothing: RabbitMQ accepts before it is ready. */
import { createConnection, createServer, type Socket } from 'node:net';

export type Address = { host: string; port: number };

/** Sends bytes and returns the first answer's; `undefined` when there is none in time. */
const exchange = (address: Address, question: Buffer, timeoutMs: number): Promise<Buffer | undefined> =>
  new Promise((resolve) => {
    const socket: Socket = createConnection(address);
    const end = (answer: Buffer | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(undefined));
    socket.once('connect', () => socket.write(question));
    socket.once('data', end);
    socket.once('error', () => end(undefined));
    socket.once('close', () => end(undefined));
  });

/** True when the port accepts a connection. */
export const accepts = (address: Address, timeoutMs = 1_000): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(address);
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });

const amqpHeader = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]);
/** A method frame on channel 0; class 10, method 10 (Connection.Start) stand behind the frame's length. */
const connectionStart = Buffer.from([0, 10, 0, 10]);

/** True when an AMQP 0-9-1 server answers the protocol header with Connection.Start. */
export const amqpAnswers = async (address: Address, timeoutMs = 2_000): Promise<boolean> => {
  const answer = await exchange(address, amqpHeader, timeoutMs);
  return answer !== undefined && answer[0] === 1 && answer.subarray(7, 11).equals(connectionStart);
};

const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
};

const cString = (text: string): Buffer => Buffer.from(`${text}\0`);

/** `{ [command]: 1, $db: database }` as an OP_MSG, so that a probe needs no driver. */
const mongoMessage = (command: string, database: string): Buffer => {
  const name = cString(database);
  const fields = Buffer.concat([
    Buffer.concat([Buffer.from([0x10]), cString(command), int32(1)]),
    Buffer.concat([Buffer.from([0x02]), cString('$db'), int32(name.length), name]),
    Buffer.from([0]),
  ]);
  const document = Buffer.concat([int32(fields.length + 4), fields]);
  const flagsAndKind = Buffer.alloc(5);
  const [requestId, responseTo, opMsg] = [1, 0, 2013];
  const length = 16 + flagsAndKind.length + document.length;
  return Buffer.concat([int32(length), int32(requestId), int32(responseTo), int32(opMsg), flagsAndKind, document]);
};

const okField = Buffer.from('\x01ok\0');

const mongoCommandWorks = async (address: Address, command: string, timeoutMs: number): Promise<boolean> => {
  const answer = await exchange(address, mongoMessage(command, 'admin'), timeoutMs);
  const at = answer?.indexOf(okField) ?? -1;
  return answer !== undefined && at >= 0 && answer.readDoubleLE(at + okField.length) === 1;
};

/** True when a MongoDB server answers `hello`. */
export const mongoAnswers = (address: Address, timeoutMs = 2_000): Promise<boolean> =>
  mongoCommandWorks(address, 'hello', timeoutMs);

/** True when it also obeys a client that has not logged in. */
export const mongoIsOpen = (address: Address, timeoutMs = 2_000): Promise<boolean> =>
  mongoCommandWorks(address, 'listCollections', timeoutMs);

/** Below the range that systems take outgoing ports from: a restart finds its port still free. */
const portRange = { from: 20_000, to: 32_000 };

export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** A port that nobody listens on. */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = portRange.from + Math.floor(Math.random() * (portRange.to - portRange.from));
    if (await isFree(port)) return port;
  }
  throw new Error(`No free port between ${portRange.from} and ${portRange.to}.`);
};
