import {
  makeId,
  type Digest,
  type IdKind,
  type IdOf,
  type Offer,
  type WorkerProfile,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';

let made = 0;

/** An id nobody else has. */
export function anId<K extends IdKind>(kind: K): IdOf[K] {
  made += 1;
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(6, made);
  return makeId(kind, 1_750_000_000_000, random);
}

export const NO_NEEDS = { gpuMilli: 0, vramMib: 0, cpuMilli: 0, memoryMib: 0, diskMib: 0 };

/** An offer of a noop attempt. */
export function anOffer(about: Partial<Offer> & { readonly noop?: object } = {}): Offer {
  const { noop = {}, ...rest } = about;
  return {
    jobId: anId('job'),
    taskId: anId('task'),
    attemptId: anId('attempt'),
    fence: 1,
    payload: JSON.stringify({ runtime: 'noop', noop }),
    inputs: [],
    needs: { ...NO_NEEDS, cpuMilli: 100 },
    maxDurationMs: 3_600_000,
    ...rest,
  };
}

export function aProfile(about: Partial<WorkerProfile> = {}): WorkerProfile {
  return {
    name: 'test worker',
    capabilities: {
      runtimes: [{ name: 'noop', class: 'noop/1' }],
      isolation: 'process',
      gpuModel: null,
      region: 'test',
      os: 'test',
      agent: 'test',
    },
    resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 1_000, memoryMib: 1_000, diskMib: 1_000 },
    slots: 8,
    asks: { gpuHour: '0', cpuHour: '10000' },
    ...about,
  };
}

export const digestOf = (bytes: Uint8Array): Digest =>
  `sha256:${Buffer.from(nodeSha256(bytes)).toString('hex')}` as Digest; // a digest by construction
