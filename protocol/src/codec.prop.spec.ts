import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFromOrchestrator, decodeFromWorker, encode } from './codec.js';
import { anyFromOrchestrator, anyFromWorker } from './testing/sound-messages.js';

test('a message of a worker comes out as it went in', () => {
  fc.assert(
    fc.property(anyFromWorker, (message) => {
      expect(decodeFromWorker(encode(message))).toEqual({ ok: true, message });
    }),
    { numRuns: 500 },
  );
});

test('a message of an orchestrator comes out as it went in', () => {
  fc.assert(
    fc.property(anyFromOrchestrator, (message) => {
      expect(decodeFromOrchestrator(encode(message))).toEqual({ ok: true, message });
    }),
    { numRuns: 500 },
  );
});

const decoders = [decodeFromWorker, decodeFromOrchestrator];

test('arbitrary bytes never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      for (const decode of decoders) {
        const decoded = decode(Buffer.from(bytes).toString('utf8'));
        expect(decoded).toMatchObject({ ok: false });
      }
    }),
    { numRuns: 1_000 },
  );
});

test('arbitrary JSON never throws and is refused with a code and a detail', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      for (const decode of decoders) {
        const decoded = decode(JSON.stringify(value));
        expect(decoded).toMatchObject({
          ok: false,
          code: expect.stringMatching(/^[A-Z_]+$/) as string,
        });
      }
    }),
    { numRuns: 500 },
  );
});

test('a sound frame with some signs changed never throws, and what is taken encodes to what is taken again', () => {
  const change = fc.tuple(
    fc.nat(),
    fc.constantFrom('', '"', '{', '}', '0', '9', '-', 'e9', '\\', ',', 'null', '\ud83d', '\u0000'),
  );
  fc.assert(
    fc.property(
      anyFromWorker,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (message, changes) => {
        let frame = encode(message);
        for (const [where, sign] of changes) {
          const at = where % frame.length;
          frame = frame.slice(0, at) + sign + frame.slice(at + 1);
        }
        const decoded = decodeFromWorker(frame);
        if (decoded.ok) expect(decodeFromWorker(encode(decoded.message))).toEqual(decoded);
        else expect(decoded.detail.length).toBeGreaterThan(0);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('a message of one side is never one of the other', () => {
  fc.assert(
    fc.property(anyFromWorker, anyFromOrchestrator, (up, down) => {
      fc.pre(up.type !== 'drain' && down.type !== 'drain');
      expect(decodeFromOrchestrator(encode(up)).ok).toBe(false);
      expect(decodeFromWorker(encode(down)).ok).toBe(false);
    }),
  );
});
