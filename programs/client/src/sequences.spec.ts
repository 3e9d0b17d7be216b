import { expect, test } from 'vitest';
import { REFUSALS } from './refusals.js';
import { TestChain } from './testing/chain.js';
import { runSequence } from './testing/sequence/run.js';
import { cast, type Cast } from './testing/sequence/world.js';

const isLong = process.env['TIDEMILL_TEST_LONG'] === '1';
/** Long enough for some ten roots, proposals from the first to the last step, and stakes that leave. */
const LENGTH = 500;
const SEQUENCES = isLong ? 10_000 : 200;
const MINUTES = 60_000;

/** A machine's faucet gives to so many networks. */
const PER_CHAIN = 50;

const actors = (): Promise<Cast> => cast(new TestChain().trustSigners());

test(
  'whatever is sent, by whom and with whose accounts, comes to what the model says, and no token comes or goes (G8, G9)',
  { timeout: (isLong ? 400 : 10) * MINUTES },
  async ({ annotate }) => {
    const outcomes = new Map<string, number>();
    let playing = await actors();
    for (let seed = 1; seed <= SEQUENCES; seed += 1) {
      if (seed % PER_CHAIN === 0) playing = await actors();
      const { outcomes: some } = await runSequence(playing, seed, LENGTH);
      for (const [name, count] of some) outcomes.set(name, (outcomes.get(name) ?? 0) + count);
    }
    const reached = new Set([...outcomes.keys()].map((outcome) => outcome.split(': ').at(-1)));
    expect([...MET].filter((name) => !reached.has(name))).toEqual([]);
    // A run of refusals, or of nothing but success, would show little.
    for (const name of DONE) expect(outcomes.get(`${name}: done`), name).toBeGreaterThan(2);
    const tampered = outcomes.get('tampered') ?? 0;
    expect(tampered).toBeGreaterThan(SEQUENCES * LENGTH * 0.15);
    const instructions = SEQUENCES * LENGTH;
    await annotate(`${instructions} random instructions as the model says (100,000 asked)`, 'T10');
    await annotate(`${tampered} of them with swapped accounts, refused`, 'T10');
  },
);

test('the same seed sends the same and comes to the same', async () => {
  const first = await runSequence(await actors(), 7_001, 200);
  const elsewhere = await actors();
  const again = await runSequence(elsewhere, 7_001, 200);
  expect(again.digest).toBe(first.digest);
  expect((await runSequence(elsewhere, 7_002, 200)).digest).not.toBe(first.digest);
});

/** Each has to have been done. */
const DONE = [
  ...['deposit', 'requestWithdrawal', 'withdraw', 'postRoot', 'postRootAgain', 'voidRoot'],
  ...['voidRootWithProof', 'claim', 'claimBatch', 'stake', 'requestUnstake', 'withdrawStake'],
  ...['propose', 'approve', 'execute', 'executeSlash', 'executeTreasury', 'pause'],
];

/** What sequences come to as they are drawn; the others are for malformed arguments and accounts, which tampering brings. */
const MET = new Set<string>([
  'TokenProgram',
  ...REFUSALS.map(({ name }) => name).filter((name) =>
    [
      ...['Paused', 'ZeroAmount', 'RootPending', 'NoPendingRoot', 'NoActiveRoot', 'WrongEpoch'],
      ...['WrongSealedSlot', 'TotalsFell', 'SumsDisagree', 'Insolvent', 'GrowthLimit', 'BadProof'],
      ...['TooFewCosigners', 'NotBelowReleased', 'NothingRequested', 'TooEarly', 'WrongAccount'],
      ...['NothingToWithdraw', 'InsufficientStake', 'WrongAction', 'OwnProposal', 'NotApproved'],
      ...['AlreadyApproved', 'Expired', 'WrongAddress'],
    ].includes(name),
  ),
]);
