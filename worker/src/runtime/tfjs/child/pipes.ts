import { readSync, writeSync } from 'node:fs';
import { type ChildEvent, ChildRequest, EVENT_FD } from '../wire.js';
import { ChildFault } from './fault.js';

const STDIN = 0;
/** Longer than any request: a task of the protocol with the longest names and lists. */
const MAX_REQUEST_LINE = 8 * 1024 * 1024;

/** Reads the request's line, then the inputs that follow it. Blocks; the child has nothing else to do. */
export function readRequest(): {
  readonly request: ChildRequest;
  readonly inputs: Map<string, Uint8Array>;
} {
  const { line, rest } = readLine();
  const request = parseRequest(line);
  const inputs = new Map<string, Uint8Array>();
  if (request.type === 'probe') return { request, inputs };
  let early = rest;
  for (const { digest, bytes } of request.inputs) {
    const buffer = Buffer.alloc(bytes);
    const taken = early.copy(buffer);
    early = early.subarray(taken);
    fill(buffer, taken);
    inputs.set(digest, buffer);
  }
  return { request, inputs };
}

function parseRequest(line: string): ChildRequest {
  try {
    return ChildRequest.parse(JSON.parse(line));
  } catch (cause) {
    throw new ChildFault('CHILD_PROTOCOL', `the request cannot be read: ${String(cause)}`, {
      cause,
    });
  }
}

function readLine(): { line: string; rest: Buffer } {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.alloc(65_536);
    const read = patiently(() => readSync(STDIN, chunk));
    const part = chunk.subarray(0, read);
    const end = part.indexOf(0x0a);
    if (read === 0 || length > MAX_REQUEST_LINE)
      throw new ChildFault('CHILD_PROTOCOL', 'the request has no end');
    if (end >= 0)
      return {
        line: Buffer.concat([...chunks, part.subarray(0, end)]).toString('utf8'),
        rest: part.subarray(end + 1),
      };
    chunks.push(part);
    length += read;
  }
}

function fill(buffer: Buffer, from: number): void {
  let at = from;
  while (at < buffer.length) {
    const read = patiently(() => readSync(STDIN, buffer, at, buffer.length - at, null));
    if (read === 0) throw new ChildFault('CHILD_PROTOCOL', 'the inputs ended too early');
    at += read;
  }
}

/** Writes one event; waits until the host has room for it. */
export function emit(event: ChildEvent): void {
  writeAll(Buffer.from(`${JSON.stringify(event)}\n`));
}

/** Hands over one output file. */
export function emitOutput(name: string, bytes: Uint8Array): void {
  emit({ type: 'output', name, bytes: bytes.length });
  writeAll(bytes);
}

function writeAll(bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length)
    at += patiently(() => writeSync(EVENT_FD, bytes, at, bytes.length - at));
}

const PAUSE_MS = 2;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** Node hands on its pipes so that a call returns at once when there is nothing to read or no room; here it has to wait. */
function patiently(call: () => number): number {
  for (;;)
    try {
      return call();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(pause, 0, 0, PAUSE_MS);
    }
}
