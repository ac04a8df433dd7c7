/** A server that speaks MongoDB's protocol, has nothing, and refuses the commands that a test chooses, as some other servers do. */
import { createServer, type Socket } from 'node:net';
import mongoose from 'mongoose';

const { BSON } = mongoose.mongo;

type Command = Record<string, unknown>;
type Refusal = { code: number; errmsg: string } | undefined;

/** Of the driver's two ways to ask: OP_QUERY greets, OP_MSG does everything else. */
const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;
const headerBytes = 16;

const hello = {
  isWritablePrimary: true,
  ...{ setName: 'fake', hosts: ['127.0.0.1:1'], me: '127.0.0.1:1', logicalSessionTimeoutMinutes: 30 },
  ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000 },
  ...{ minWireVersion: 0, maxWireVersion: 25, readOnly: false },
};

/** The body, and a sequence of documents such as `updates` under its name. */
const commandIn = (message: Buffer): Command => {
  let command: Command = {};
  let at = headerBytes + 4;
  while (at < message.length) {
    const kind = message[at];
    const length = message.readInt32LE(at + 1);
    const section = message.subarray(at + 1, at + 1 + length);
    if (kind === 0) command = { ...BSON.deserialize(section), ...command };
    else {
      const name = section.toString('latin1', 4, section.indexOf(0, 4));
      const first = section.subarray(5 + name.length);
      command = { ...command, [name]: [BSON.deserialize(first.subarray(0, first.readInt32LE(0)))] };
    }
    at += 1 + length;
  }
  return command;
};

const frame = (request: Buffer, opcode: number, parts: Buffer[]): Buffer => {
  const header = Buffer.alloc(headerBytes);
  header.writeInt32LE(headerBytes + parts.reduce((sum, part) => sum + part.length, 0), 0);
  header.writeInt32LE(request.readInt32LE(4), 8);
  header.writeInt32LE(opcode, 12);
  return Buffer.concat([header, ...parts]);
};

const answerTo = (message: Buffer, refuse: (command: Command) => Refusal): Buffer => {
  if (message.readInt32LE(12) === opQuery) {
    const found = Buffer.alloc(20);
    found.writeInt32LE(1, 16);
    return frame(message, opReply, [found, Buffer.from(BSON.serialize({ ok: 1, ...hello }))]);
  }
  const command = commandIn(message);
  const refusal = refuse(command);
  const said = 'hello' in command ? hello : { n: 0, nModified: 0, value: null };
  const body = refusal ? { ok: 0, ...refusal } : { ok: 1, ...said };
  return frame(message, opMsg, [Buffer.alloc(5), Buffer.from(BSON.serialize(body))]);
};

export const startFakeMongodb = async (refuse: (command: Command) => Refusal) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= received.readInt32LE(0)) {
        const length = received.readInt32LE(0);
        const message = received.subarray(0, length);
        socket.write(answerTo(message, refuse));
        received = received.subarray(length);
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as { port: number };
  return {
    url: `mongodb://127.0.0.1:${port}/lanekeeper?directConnection=true`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
};
