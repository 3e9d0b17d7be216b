import { MAX_FRAME_BYTES } from '@tidemill/protocol';
import { WebSocket } from 'ws';
import { proxyAgentFor } from './proxy.js';
import type { Link, Transport, TransportEvents } from './transport.js';

/** How long the network may take to make a connection. */
const CONNECT_TIMEOUT_MS = 8_000;
/** An orchestrator that does not answer a close is not waited for. */
const CLOSE_TIMEOUT_MS = 2_000;

/** The socket of the worker protocol at `url` (`ws:` or `wss:`). Connections are outbound only; redirects are not followed. */
export function socketTransport(url: string): Transport {
  return { open: (events) => openSocket(url, events) };
}

function openSocket(url: string, events: TransportEvents): Link {
  const agent = proxyAgentFor(url);
  const socket = new WebSocket(url, {
    ...(agent === undefined ? {} : { agent }),
    handshakeTimeout: CONNECT_TIMEOUT_MS,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    followRedirects: false,
  });
  let failure = '';
  socket.on('open', () => events.opened());
  socket.on('message', (data, isBinary) => {
    if (isBinary) socket.close(1003, 'text frames only');
    else events.frame(textOf(data));
  });
  // An error is always followed by `close`, which is where the owner hears of it.
  socket.on('error', (error) => {
    failure = error.message;
  });
  socket.on('close', (code, reason) => events.closed(code, reason.toString() || failure));

  return {
    send(frame) {
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(frame);
      return true;
    },
    bufferedBytes: () => socket.bufferedAmount,
    close(code, reason) {
      if (socket.readyState === WebSocket.CONNECTING) return socket.terminate();
      socket.close(code, reason);
      setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref();
    },
  };
}

function textOf(data: WebSocket.RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}
