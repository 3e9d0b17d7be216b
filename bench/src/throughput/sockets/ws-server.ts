/**
 * The bare server that the orchestrator's sockets are compared with: ws without compression, which parses each heartbeat and
 * answers it, and nothing else. Prints its port when it listens.
 */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: 0,
  perMessageDeflate: false,
  // Thousands connect within a second or two.
  backlog: 1_024,
});
server.on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer) => {
    const { seq } = JSON.parse(data.toString('utf8')) as { seq: number };
    socket.send(JSON.stringify({ type: 'heartbeat.ack', seq }));
  });
});
server.on('listening', () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`);
});
process.on('SIGTERM', () => process.exit(0));
