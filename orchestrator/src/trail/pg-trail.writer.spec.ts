import { trailDigest } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import { Clock } from '../platform/clock.js';
import { jsonTexts, type Tx } from '../platform/db/db.js';
import { PgTrailWriter } from './pg-trail.writer.js';
import { trailRows } from './trail.writer.js';

class AtNoon extends Clock {
  nowMs(): number {
    return 1_700_000_000_000;
  }
  monotonicMs(): number {
    return 0;
  }
}

class RecordingTx implements Tx {
  readonly asked: (readonly unknown[])[] = [];
  query<R extends object>(_text: string, values: readonly unknown[] = []): Promise<R[]> {
    this.asked.push(values);
    return Promise.resolve([]);
  }
}

test('events of one call are one statement, digested over the text that is kept', async () => {
  const tx = new RecordingTx();
  await new PgTrailWriter(new AtNoon()).append(tx, [
    { kind: 'job.accepted', subject: 'job_1', body: { price: 5, note: undefined } },
    { kind: 'lease.offered', subject: 'att_1', body: '{"fence": 1}' },
  ]);
  const digest = (kind: string, subject: string, body: string) =>
    Buffer.from(trailDigest({ kind, subject, atMs: 1_700_000_000_000, body }, nodeSha256));
  expect(tx.asked).toEqual([
    [
      1_700_000_000_000,
      ['job.accepted', 'lease.offered'],
      ['job_1', 'att_1'],
      jsonTexts(['{"price":5}', '{"fence": 1}']),
      [
        digest('job.accepted', 'job_1', '{"price":5}'),
        digest('lease.offered', 'att_1', '{"fence": 1}'),
      ],
    ],
  ]);
});

test('no events are no statement', async () => {
  const tx = new RecordingTx();
  await new PgTrailWriter(new AtNoon()).append(tx, []);
  expect(tx.asked).toEqual([]);
});

test.each(['two\nlines', 'a space', '', 'ü', 'x'.repeat(129)])(
  '%j is refused as a kind and as a subject',
  (name) => {
    expect(() => trailRows([{ kind: name, subject: 'job_1', body: '{}' }], 0)).toThrow(
      'not a trail event',
    );
    expect(() => trailRows([{ kind: 'job.accepted', subject: name, body: '{}' }], 0)).toThrow(
      'not a trail event',
    );
  },
);
