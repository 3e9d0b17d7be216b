import type { Digest, WorkerId } from '@tidemill/protocol';
import { hash, randomBytes } from 'node:crypto';
import { Authenticators } from '../../platform/http/caller.js';
import type { StageHost } from '../../identity/testing/stage-host.js';

export const digestOf = (bytes: Uint8Array): Digest => `sha256:${hash('sha256', bytes)}` as Digest; // of that form

/** Bytes that no other test has, with their digest. */
export function someBytes(length: number): { bytes: Buffer; digest: Digest } {
  const bytes = randomBytes(length);
  return { bytes, digest: digestOf(bytes) };
}

/** Lets these workers in, each by `tmt_` and its id, as their sessions' tokens will. */
export function admitWorkers(host: StageHost): void {
  host.app
    .get(Authenticators)
    .add('tmt_', (token) => ({ kind: 'worker', workerId: token.slice(4) as WorkerId }));
}

export interface ByteAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** The parsed JSON of an answer that is JSON. */
  readonly json: any; // what comes back is for the test to assert
}

/** One request of bytes for bytes. */
export async function bytesCall(
  host: StageHost,
  method: string,
  path: string,
  token: string,
  {
    body,
    headers = {},
  }: { body?: NonNullable<RequestInit['body']>; headers?: Record<string, string> } = {},
): Promise<ByteAnswer> {
  const response = await fetch(`${host.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      ...headers,
    },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
    signal: AbortSignal.timeout(20_000),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = bytes.length > 0 && /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    json: isJson ? JSON.parse(bytes.toString()) : null,
  };
}

export const put = (
  host: StageHost,
  token: string,
  bytes: Uint8Array,
  digest: string = digestOf(bytes),
) => bytesCall(host, 'PUT', `/v1/artifacts/${digest}`, token, { body: bytes });

export const get = (
  host: StageHost,
  token: string,
  digest: string,
  headers: Record<string, string> = {},
) => bytesCall(host, 'GET', `/v1/artifacts/${digest}`, token, { headers });
