import { Keypair } from '@solana/web3.js';
import { type RunningChain, startChain } from '@tidemill/localnet/chain';
import { freePort } from '@tidemill/localnet';
import {
  programFile,
  settlementProgram,
  type SettlementProgram,
} from '@tidemill/settlement-client';
import { Connection } from '@solana/web3.js';
import { transactionStep } from '@tidemill/core/settlement';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChainSchedule, type Rule } from './testing/chain-schedule.js';
import { Random } from './testing/random.js';
import { ScriptedCluster } from './testing/scripted-cluster.js';
import { TestTokens } from './testing/test-tokens.js';

/** In `npm test`, and before a release. */
const SCHEDULES = process.env['TIDEMILL_TEST_LONG'] === '1' ? 2_000 : 500;

/** A planted fault has to show within so many. */
const ENOUGH_TO_FIND = 60;

let running: RunningChain;
let program: SettlementProgram;
let tokens: TestTokens;

beforeAll(async () => {
  const id = Keypair.generate().publicKey;
  running = await startChain({
    port: await freePort(),
    slotMs: 0,
    programs: [{ id: id.toBase58(), path: programFile('v3') }],
  });
  // Instructions are built without asking anybody.
  program = settlementProgram(id, new Connection('http://127.0.0.1:1'));
  tokens = new TestTokens(running);
});
afterAll(() => running.close());

function run(seed: number, rule?: Rule) {
  const random = new Random(seed);
  const cluster = new ScriptedCluster(running, random);
  return new ChainSchedule(cluster, random, program, tokens, rule).run();
}

test(`${SCHEDULES} schedules of faults and crashes: every leaf is paid once and the ledger is the chain (G8, G9, G10)`, async ({
  annotate,
}) => {
  let [faults, crashes, signed] = [0, 0, 0];
  for (let seed = 1; seed <= SCHEDULES; seed += 1) {
    const report = await run(seed).catch((cause: unknown) => {
      throw new Error(`schedule ${seed}`, { cause });
    });
    faults += report.faults;
    crashes += report.crashes;
    signed += report.signed;
  }
  expect(crashes).toBeGreaterThan(SCHEDULES);
  await annotate(
    `${SCHEDULES} schedules (2,000 asked), ${crashes} crashes, ${faults} failed turns, ${signed} transactions signed`,
    'T11',
  );
}, 600_000);

/** What is planted, and the least it takes to be found. */
const PLANTED: readonly (readonly [string, Rule])[] = [
  [
    'gives up at once what no node has',
    (last, words) => {
      const step = transactionStep(last, words);
      return step === 'resend' ? 'expired' : step;
    },
  ],
  [
    'gives up on the word of one node',
    (last, words) =>
      words.some((word) => word?.sighting === 'absent' && word.finalizedHeight > last)
        ? 'expired'
        : transactionStep(last, words),
  ],
  [
    'believes one node that says it has happened',
    (last, words) =>
      words.some((word) => word?.sighting === 'finalized') ? 'done' : transactionStep(last, words),
  ],
];

test.each(PLANTED)('a sender that %s is found out', async (_, rule) => {
  for (let seed = 1; seed <= ENOUGH_TO_FIND; seed += 1) {
    const isFound = await run(seed, rule).then(
      () => false,
      () => true,
    );
    if (isFound) return;
  }
  throw new Error(`not found in ${ENOUGH_TO_FIND} schedules`);
});
