/** Which connection makes room for a new one, on connections from addresses that this host does not have. */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import { expect, test } from '@jest/globals';
import { boundConnections } from '../../lib/gateway/connections.ts';

class Connection extends EventEmitter {
  destroyed = false;
  readonly remoteAddress: string;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
  setTimeout(): void {}
  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

test('above MAX_CONNECTIONS the /48 with the most idle connections loses its oldest one, however many networks it has', () => {
  const server = new EventEmitter();
  boundConnections(server as Server, { maxConnections: 5, trustedProxies: () => false });
  const connect = (address: string) => {
    const connection = new Connection(address);
    server.emit('connection', connection);
    return connection;
  };
  const others = ['192.0.2.1', '2001:db8:1::1'].map(connect);
  const ofOneSite = ['2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:0:ff00::1'].map(connect);
  const next = connect('198.51.100.1');
  expect([...others, next].map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
  expect(ofOneSite.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
});
