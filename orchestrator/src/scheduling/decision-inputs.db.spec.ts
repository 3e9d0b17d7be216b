import { replay, type DecisionRecord } from '@tidemill/core/scheduler';
import type { DecisionId } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { DecisionInputs } from './decision-inputs.js';
import { LeasesService } from './leases.service.js';
import { LeasesStore } from './leases.store.js';
import { PlanService } from './plan.service.js';

let host: StageHost;
let alice: StageSubmitter;
beforeAll(async () => {
  host = await startNetwork();
  alice = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

const decisionOf = async (id: DecisionId) => ({
  record: (await host.app.get(PlanService).decision(alice.accountId, id)).record as DecisionRecord,
  inputs: await host.app.get(DecisionInputs).of(alice.accountId, id),
});

async function decided(pool: string, jobs: number): Promise<DecisionId[]> {
  await StageWorker.join(host, pool);
  await StageWorker.join(host, pool, { slots: 2 });
  const ids = [];
  for (let i = 0; i < jobs; i += 1) ids.push(await alice.submit(noopJob(pool)));
  const decisions = [];
  for (const id of ids) {
    const job = await alice.when(id, ({ taskList }) => taskList[0]?.attempts[0] !== undefined);
    const decision = job.taskList[0]?.attempts[0]?.decisionId;
    if (decision) decisions.push(decision);
  }
  return decisions;
}

test('each decision of the network is decided again from what was kept of it (G16)', async () => {
  const decisions = await decided('again', 12);
  expect(decisions).toHaveLength(12);
  for (const id of decisions) {
    const { record, inputs } = await decisionOf(id);
    expect(replay(record, inputs, nodeSha256)).toMatchObject({ equal: true });
    const forged = { ...record, considered: 99 };
    expect(replay(forged, inputs, nodeSha256)).toMatchObject({ code: 'DIFFERS' });
  }
});

test('inputs of a decision about somebody else’s job are not shown (T7)', async () => {
  const [id] = await decided('mine', 1);
  const mallory = await StageSubmitter.with(host);
  const asked = host.app.get(DecisionInputs).of(mallory.accountId, id ?? ('' as never));
  await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('inputs are forgotten after their time, and the decision stays', async () => {
  const [id = '' as never] = await decided('old', 1);
  await host.app.get(LeasesService).forgetInputs();
  await decisionOf(id);
  await host.app.get(LeasesStore).forgetInputs(host.db, 0);
  await expect(decisionOf(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const kept = await host.app.get(PlanService).decision(alice.accountId, id);
  expect(kept.record).toHaveProperty('inputs');
});
