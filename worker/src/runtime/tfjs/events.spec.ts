import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ChildTalkError, EventReader } from './events.js';
import type { ChildEvent } from './wire.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemill-events-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Lets a reader hear `bytes`, in pieces of `size`. */
async function hear(bytes: Buffer, size = 7, maxOutputBytes = 1_000) {
  const events: ChildEvent[] = [];
  const reader = new EventReader(join(folder, 'out'), maxOutputBytes, (event) =>
    events.push(event),
  );
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  await reader.read(Readable.from(pieces));
  return { events, outputs: reader.outputs };
}

const line = (event: unknown) => Buffer.from(`${JSON.stringify(event)}\n`);
const output = (name: string, text: string) =>
  Buffer.concat([
    line({ type: 'output', name, bytes: Buffer.byteLength(text) }),
    Buffer.from(text),
  ]);
const DONE = { type: 'done', metrics: { loss: '0.5' } };

describe('what a child says', () => {
  test.each([1, 7, 10_000])('is understood in pieces of %i bytes', async (size) => {
    const bytes = Buffer.concat([
      output('model.json', '{"a":\n1}'),
      output('weights.bin', ''),
      line(DONE),
    ]);
    const { events, outputs } = await hear(bytes, size);
    expect(events).toEqual([DONE]);
    expect(outputs.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ['model.json', 8],
      ['weights.bin', 0],
    ]);
    expect(readFileSync(outputs[0]?.path ?? '', 'utf8')).toBe('{"a":\n1}');
    expect(outputs[1]?.digest).toBe(
      'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  test.each([
    ['a path for a name', output('../key', 'x'), 'CHILD_PROTOCOL'],
    ['an absolute path', output('/etc/passwd', 'x'), 'CHILD_PROTOCOL'],
    ['a name nobody asked for', output('.bashrc', 'x'), 'CHILD_PROTOCOL'],
    [
      'one output twice',
      Buffer.concat([output('model.json', 'x'), output('model.json', 'y')]),
      'CHILD_PROTOCOL',
    ],
    [
      'an output that ends too early',
      line({ type: 'output', name: 'model.json', bytes: 5 }),
      'CHILD_PROTOCOL',
    ],
    [
      'outputs beyond their limit',
      line({ type: 'output', name: 'model.json', bytes: 1_001 }),
      'OUTPUT_TOO_LARGE',
    ],
    ['a negative size', line({ type: 'output', name: 'model.json', bytes: -1 }), 'CHILD_PROTOCOL'],
    ['no JSON', Buffer.from('hello\n'), 'CHILD_PROTOCOL'],
    ['an unknown event', line({ type: 'obey' }), 'CHILD_PROTOCOL'],
    ['an unknown member', line({ ...DONE, run: 'this' }), 'CHILD_PROTOCOL'],
    ['a line without an end', Buffer.alloc(20_000, 'a'), 'CHILD_PROTOCOL'],
    [
      'a metric that is no number',
      line({ type: 'done', metrics: { loss: 'NaN' } }),
      'CHILD_PROTOCOL',
    ],
  ])('is cut off at %s', async (_, bytes, code) => {
    await expect(hear(bytes)).rejects.toMatchObject({ name: 'ChildTalkError', code });
  });

  test('never follows a link that lies where an output goes', async () => {
    mkdirSync(join(folder, 'out'));
    symlinkSync(join(folder, 'target'), join(folder, 'out', 'model.json'));
    await expect(hear(output('model.json', 'x'))).rejects.toThrow('EEXIST');
    expect(existsSync(join(folder, 'target'))).toBe(false);
  });

  test('is bytes of any kind, and still nothing but a named fault comes of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        const heard = await hear(Buffer.from([...bytes, 10])).catch((error: unknown) => error);
        expect(heard instanceof ChildTalkError || !(heard instanceof Error)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
