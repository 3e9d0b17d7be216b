import { servedTrail, verifyTrail } from '@tidemill/client/verify';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '../expectation.js';
import type { World } from '../world.js';

/** A checkpoint is signed once a minute; the first one may be due only after the story has come here. */
const VOUCHED_WITHIN_MS = 75_000;

/** Recomputes every decision's place in the trail and compares the result with the checkpoint that the operator signed. */
export async function trail(world: World): Promise<void> {
  const { stage, submitter } = world;
  stage.heading('The decision trail, recomputed');
  const deadline = performance.now() + VOUCHED_WITHIN_MS;
  let result = await verifyTrail({ source: servedTrail(submitter.trail) });
  while (result.fault === null && result.vouched === 0 && performance.now() < deadline) {
    stage.live('waiting for the first signed checkpoint, one a minute');
    await sleep(1_000);
    result = await verifyTrail({ source: servedTrail(submitter.trail) });
  }
  const { fault, size, vouched, root } = result;
  expect(
    fault === null,
    'the trail should be sound',
    `place ${fault?.place} is bad: ${fault?.detail}`,
  );
  expect(vouched > 0, 'a signed checkpoint should vouch for it', 'there is none');
  stage.fact('root', root);
  stage.good(`${size} events recomputed, ${vouched} of them under a signed checkpoint`);
}
