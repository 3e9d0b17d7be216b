import { connect, type Socket } from 'node:net';

/** Where the attack goes, and the hosts it comes from: addresses of 127.66.0.0/16, which nobody else uses. */
export interface Target {
  readonly port: number;
}

/** Begins a worker's handshake, as far as its last line. */
export const UPGRADE = [
  'GET /v1/worker HTTP/1.1',
  'Host: tidemill',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${Buffer.alloc(16, 7).toString('base64')}`,
  '',
].join('\r\n');

/** The address of hostile host number `n`. */
export const hostileAddress = (n: number): string => `127.66.${n >> 8}.${1 + ((n & 0xff) % 254)}`;

/** A plain connection that never ends by itself, whatever the other side does. */
export function rawSocket({ port }: Target, host: number): Socket {
  const socket = connect({
    port,
    host: '127.0.0.1',
    localAddress: hostileAddress(host),
    allowHalfOpen: true,
  });
  socket.on('error', () => socket.destroy());
  return socket;
}

/** A frame of a client as RFC 6455 has it: masked, here with zeros. */
export function frame(opcode: number, payload: Uint8Array, { fin = true } = {}): Buffer {
  const head =
    payload.length < 126
      ? Buffer.of((fin ? 0x80 : 0) | opcode, 0x80 | payload.length)
      : Buffer.of(
          (fin ? 0x80 : 0) | opcode,
          0x80 | 126,
          payload.length >> 8,
          payload.length & 0xff,
        );
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
