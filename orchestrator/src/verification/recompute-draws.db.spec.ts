import { firstWrongDraw, type DrawSaid } from '@tidemill/core/verification';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { auditDraw } from '../platform/audit-draw.js';
import { SIGNER } from '../platform/platform.module.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

const JOBS = 60;
let host: StageHost;
let alice: StageSubmitter;
beforeAll(async () => {
  host = await startNetwork({ env: { TIDEMILL_AUDIT_RATE: '0.5' } });
  alice = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

/** Every result that could have been drawn, as the trail tells it. */
const saidInTrail = () =>
  host.db.query<{ receipt: string; drawn: boolean }>(
    `SELECT stored.body::jsonb ->> 'receipt' AS receipt, EXISTS (
       SELECT FROM trail_events AS ordered WHERE ordered.kind = 'check.ordered' AND ordered.subject = stored.body::jsonb ->> 'task'
     ) AS drawn
     FROM trail_events AS stored WHERE stored.kind = 'receipt.stored' ORDER BY stored.id`,
  );

test('whoever has the key of the draws finds them in the trail as they were made (G14, T18)', async () => {
  const worker = await StageWorker.join(host, 'drawn');
  for (let i = 0; i < JOBS; i += 1) await alice.submit(noopJob('drawn', { verify: 'standard' }));
  for (let i = 0; i < JOBS; i += 1) await worker.report(await worker.begin());
  await expect
    .poll(
      async () => {
        const [row] = await host.db.query<{ settled: number }>(
          `SELECT (SELECT count(*) FROM verdicts)::int + (SELECT count(*) FROM tasks WHERE role = 'audit')::int AS settled`,
        );
        return row?.settled;
      },
      { timeout: 30_000 },
    )
    .toBe(JOBS);

  const said = (await saidInTrail()).map((one): DrawSaid => ({ ...one, ratePpm: 500_000 }));
  expect(said).toHaveLength(JOBS);
  expect(new Set(said.map(({ drawn }) => drawn))).toEqual(new Set([true, false]));
  const draw = auditDraw(host.app.get(SIGNER));
  const asDrawn = (hash: string) => draw(hash);
  expect(firstWrongDraw(said, asDrawn)).toBeNull();
  for (const [place, one] of said.entries()) {
    expect(firstWrongDraw(said.with(place, { ...one, drawn: !one.drawn }), asDrawn)).toBe(place);
  }
});
