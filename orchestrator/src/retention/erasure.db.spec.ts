import type { JobId } from '@tidemill/protocol';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Config } from '../config/env.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { call, login } from '../identity/testing/wallet.js';
import { PgDb } from '../platform/db/pg-db.js';
import { eventually } from '../testing/eventually.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

const SECRET = 'a-name-nobody-should-read';

let host: StageHost;
/** May read what no role of the orchestrator may. */
let owner: PgDb;
let alice: StageSubmitter;
let token: string;
beforeAll(async () => {
  host = await startNetwork();
  const { databaseUrl: url } = host.app.get(Config);
  owner = new PgDb({ url, role: 'none', max: 2, name: 'test' }, pino({ level: 'silent' }));
  alice = await StageSubmitter.with(host);
  ({ token } = await login(host, alice.wallet));
});
afterAll(async () => {
  await owner.close();
  await host.stop();
});

const erase = (id: JobId, as = token) => call(host, 'DELETE', `/v1/jobs/${id}`, { token: as });

/** Tables in which a row names one of these. */
async function tablesNaming(names: readonly string[]): Promise<string[]> {
  const tables = await owner.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await owner.query(
      `SELECT FROM public.${name} AS one WHERE EXISTS (SELECT FROM unnest($1::text[]) AS named WHERE strpos(one::text, named) > 0) LIMIT 1`,
      [names],
    );
    if (rows.length > 0) found.push(name);
  }
  return found;
}

test('a job is erased with all its rows; the trail and the ledger keep its id and no content (G15, G22)', async () => {
  const worker = await StageWorker.join(host, 'erased');
  const { body } = await call(host, 'POST', '/v1/jobs', {
    token,
    body: { ...noopJob('erased', { name: SECRET }), labels: { secret: SECRET } },
  });
  const id = body.id as JobId;
  expect((await erase(id)).body.code).toBe('CONFLICT');
  const offer = await worker.begin();
  const { attemptId, fence } = offer;
  await worker.say({
    type: 'logs',
    items: [{ attemptId, fence, line: 0, stream: 'out', text: SECRET }],
  });
  const output = await worker.store('what it made');
  await worker.report(offer, { outputs: [output] });
  await alice.over(id);

  const bob = await StageSubmitter.with(host);
  expect((await erase(id, (await login(host, bob.wallet)).token)).status).toBe(404);
  await eventually('the job is never settled', async () => (await erase(id)).status === 204);

  expect(await tablesNaming([SECRET])).toEqual([]);
  const left = await tablesNaming([id, attemptId]);
  // The plan that its placement was decided on names it, and is forgotten after 30 days.
  const kept = ['artifact_grants', 'ledger_entries', 'plan_inputs', 'trail_events'];
  expect(left.filter((table) => !kept.includes(table))).toEqual([]);
  expect(left).toEqual(expect.arrayContaining(['ledger_entries', 'trail_events']));
  const kinds = await owner.query<{ kind: string }>(
    'SELECT kind FROM trail_events WHERE subject = $1 ORDER BY id',
    [id],
  );
  expect(kinds.map(({ kind }) => kind)).toEqual(['job.accepted', 'job.erased']);
  expect((await call(host, 'GET', `/v1/jobs/${id}`, { token })).status).toBe(404);
  expect((await erase(id)).status).toBe(404);
});

test('a job whose workers’ earnings can still be withheld is evidence, and stays', async () => {
  const worker = await StageWorker.join(host, 'withheld');
  const id = await alice.submit(noopJob('withheld'));
  await worker.report(await worker.begin());
  await alice.over(id);
  await eventually('the job is not charged', async () =>
    (await owner.query('UPDATE charges SET released = false WHERE job_id = $1 RETURNING 1', [id]))
      .length === 1); // prettier-ignore
  let detail = '';
  await eventually(
    () => `it was refused otherwise: ${detail}`,
    async () => {
      const { status, body } = await erase(id);
      expect(status).toBe(409);
      detail = body.detail as string;
      return detail.includes('can still be withheld');
    },
  );
});
