import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet } from '../identity/testing/wallet.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';

let host: StageHost;
let submitter: StageSubmitter;
beforeAll(async () => {
  host = await startNetwork();
  submitter = await StageSubmitter.with(host);
});
afterAll(() => host.stop());

/** A machine of an operator; its certificate was checked at the door, which is not here. */
const machineOf = (pool: string, operator: string) =>
  StageWorker.join(host, pool, {
    operator: { publicKey: operator, signature: '1'.repeat(64) },
    slots: 1,
  });

test('two copies of a checked task never go to two machines of one operator, in one turn or in two (G12)', async () => {
  const operator = aWallet().address;
  const machines = [await machineOf('owned', operator), await machineOf('owned', operator)];
  const id = await submitter.submit(noopJob('owned', { verify: { replicate: 2 } }));
  const job = () => submitter.job(id);
  const attemptsOf = async () => (await job()).taskList.flatMap(({ attempts }) => attempts);
  await expect.poll(async () => (await attemptsOf()).length, { timeout: 10_000 }).toBe(1);
  const [first] = await attemptsOf();
  const busy = machines.find(({ id: worker }) => worker === first?.workerId);
  const idle = machines.find((machine) => machine !== busy);
  if (busy === undefined || idle === undefined) throw new Error('one of the two has the task');
  await busy.report(await busy.begin());

  // The stranger is asked in a later turn than the first machine, and the idle one is cheaper than nobody.
  const stranger = await StageWorker.join(host, 'owned');
  await stranger.report(await stranger.begin());
  expect(await submitter.over(id)).toMatchObject({ state: 'succeeded' });
  expect((await attemptsOf()).map(({ workerId }) => workerId)).not.toContain(idle.id);
  expect(idle.inbox).toEqual([]);
});
