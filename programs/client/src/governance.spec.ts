import { Keypair, type PublicKey } from '@solana/web3.js';
import { expect, test } from 'vitest';
import type { GovernedAction } from './action.js';
import { CAPS, TestNetwork, TIMES } from './testing/network.js';

async function staked(amount: bigint) {
  const network = await TestNetwork.open();
  const { key } = network.worker();
  network.chain.fund(key.publicKey);
  const tokens = network.chain.tokenAccount(network.mint, key.publicKey, amount);
  network.chain.must([await network.build.stake(key.publicKey, tokens, amount)], [key]);
  return { network, key, tokens };
}

const adminOf = (network: TestNetwork, at = 0): Keypair => {
  const admin = network.admins[at];
  if (admin === undefined) throw new RangeError(`no admin ${at}`);
  return admin;
};

const executing = async (network: TestNetwork, number: bigint) =>
  network.chain.send([await network.build.execute(adminOf(network).publicKey, number)]).refusal;

test('an approved action waits for its timelock, is carried out once, and gives the rent back (G17)', async () => {
  const network = await TestNetwork.open();
  const number = await network.approved({ kind: 'setCaps', caps: { ...CAPS, growthLimit: 7n } });
  expect(await executing(network, number)).toBe('TooEarly');
  network.chain.pass(TIMES.timelockSlots);
  const before = network.chain.lamports(adminOf(network).publicKey);
  expect(await executing(network, number)).toBeNull();
  expect(network.chain.lamports(adminOf(network).publicKey)).toBeGreaterThan(before);
  expect(Number((await network.state()).caps.growthLimit)).toBe(7);
  expect(await executing(network, number)).toBe('WrongAccount');
});

test('too few approvals, the proposer own, one twice, an outsider, another digest (G17)', async () => {
  const network = await TestNetwork.open();
  const { chain, build } = network;
  const action: GovernedAction = { kind: 'unpause' };
  const proposer = adminOf(network);
  const other = adminOf(network, 1);
  const stranger = network.authority;
  const outside = await build.propose(stranger.publicKey, 0n, action);
  expect(chain.send([outside], [stranger]).refusal).toBe('NotAdmin');
  chain.must([await build.propose(proposer.publicKey, 0n, action)], [proposer]);
  const { digest } = chain.program.coder.accounts.decode(
    'proposal',
    chain.data(network.at.proposal(0n)),
  );
  const approve = async (by: Keypair, over = Uint8Array.from(digest as number[])) =>
    chain.send([await build.approve(by.publicKey, 0n, over)], [by]).refusal;
  expect(await approve(proposer)).toBe('OwnProposal');
  expect(await approve(stranger)).toBe('NotAdmin');
  expect(await approve(other, new Uint8Array(32))).toBe('WrongDigest');
  expect(await approve(other)).toBeNull();
  expect(await approve(other)).toBe('AlreadyApproved');
  chain.pass(TIMES.timelockSlots);
  expect(await executing(network, 0n)).toBe('NotApproved');
  chain.pass(TIMES.approvalSlots);
  expect(await approve(adminOf(network, 2))).toBe('Expired');
});

test('what was approved too long ago, or under other admins, is not carried out', async () => {
  const network = await TestNetwork.open();
  const late = await network.approved({ kind: 'unpause' });
  network.chain.pass(TIMES.timelockSlots + TIMES.approvalSlots);
  expect(await executing(network, late)).toBe('Expired');
  const keys = { threshold: 1, keys: [Keypair.generate().publicKey, Keypair.generate().publicKey] };
  const change = await network.approved({ kind: 'setAdmins', keys });
  const under = await network.approved({ kind: 'unpause' });
  network.chain.pass(TIMES.timelockSlots);
  expect(await executing(network, change)).toBeNull();
  expect(await executing(network, under)).toBe('StaleGovernance');
});

test('one guardian pauses, only the admins lift it (G11)', async () => {
  const network = await TestNetwork.open();
  const [guardian] = network.guardians;
  if (!guardian) throw new Error('a guardian');
  const stranger = await network.build.pause(network.authority.publicKey);
  expect(network.chain.send([stranger], [network.authority]).refusal).toBe('NotGuardian');
  network.chain.must([await network.build.pause(guardian.publicKey)], [guardian]);
  expect((await network.state()).paused).toBe(1);
  const number = await network.approved({ kind: 'unpause' });
  network.chain.pass(TIMES.timelockSlots);
  expect(await executing(network, number)).toBeNull();
  expect((await network.state()).paused).toBe(0);
});

test('parameters, operators, co-signers and guardians change only to what makes sense', async () => {
  const network = await TestNetwork.open();
  const { chain, build } = network;
  const keys = { threshold: 1, keys: [Keypair.generate().publicKey, Keypair.generate().publicKey] };
  const authority = Keypair.generate().publicKey;
  const actions: GovernedAction[] = [
    { kind: 'setParameters', parameters: { ...TIMES, challengeSlots: 11n } },
    { kind: 'setOperators', authority, releaser: Keypair.generate().publicKey },
    { kind: 'setCosigners', keys },
    { kind: 'setGuardians', keys },
  ];
  const numbers = [];
  for (const action of actions) numbers.push(await network.approved(action));
  chain.pass(TIMES.timelockSlots);
  for (const number of numbers) expect(await executing(network, number)).toBeNull();
  const state = await network.state();
  expect(state.authority.equals(authority)).toBe(true);
  expect(
    [state.parameters.challengeSlots, state.cosigners.count, state.guardians.count].map(Number),
  ).toEqual([11, 2, 2]);

  const [one] = keys.keys;
  if (one === undefined) throw new Error('a key');
  const proposing = async (action: GovernedAction) => {
    const proposer = adminOf(network);
    return chain.send([await build.propose(proposer.publicKey, 4n, action)], [proposer]).refusal;
  };
  expect(await proposing({ kind: 'setCosigners', keys: { threshold: 2, keys: [one, one] } })).toBe(
    'BadKeySet',
  );
  expect(await proposing({ kind: 'setCosigners', keys: { threshold: 3, keys: keys.keys } })).toBe(
    'BadKeySet',
  );
  expect(await proposing({ kind: 'setAdmins', keys: { threshold: 2, keys: keys.keys } })).toBe(
    'BadKeySet',
  );
  expect(await proposing({ kind: 'slash', worker: one, amount: 0n })).toBe('ZeroAmount');
  const shortUnbonding = { ...TIMES, unbondingSlots: TIMES.timelockSlots };
  expect(await proposing({ kind: 'setParameters', parameters: shortUnbonding })).toBe(
    'BadParameters',
  );
});

test('stake unbonds slowly, and can be slashed until it is withdrawn (G8)', async () => {
  const { network, key, tokens } = await staked(1_000n);
  const { chain, build } = network;
  const unstake = async (amount: bigint) =>
    chain.send([await build.requestUnstake(key.publicKey, amount)], [key]).refusal;
  const withdraw = async () =>
    chain.send([await build.withdrawStake(key.publicKey, tokens)], [key]).refusal;
  expect(await withdraw()).toBe('NothingToWithdraw');
  expect(await unstake(1_001n)).toBe('InsufficientStake');
  expect(await unstake(0n)).toBe('ZeroAmount');
  expect(await unstake(300n)).toBeNull();
  expect(await withdraw()).toBe('TooEarly');

  const proposer = adminOf(network).publicKey;
  const number = await network.approved({ kind: 'slash', worker: key.publicKey, amount: 400n });
  chain.pass(TIMES.timelockSlots);
  expect(await executing(network, number)).toBe('WrongAction');
  chain.must([await build.executeSlash(proposer, number, key.publicKey)]);
  const state = await network.state();
  expect([state.staked, state.unbonding, state.slashedStake].map(Number)).toEqual([600, 0, 400]);
  expect(await unstake(600n)).toBeNull();
  chain.pass(TIMES.unbondingSlots);
  expect(await withdraw()).toBeNull();
  expect(chain.balance(tokens)).toBe(600n);
});

test('fees and slashed stake go where the admins said, and no more than there is', async () => {
  const { network, key } = await staked(1_000n);
  const { chain, build } = network;
  await network.submitter(500n);
  network.work(0, 0, 200n, 20n);
  const treasury = chain.tokenAccount(network.mint, Keypair.generate().publicKey);
  const elsewhere = chain.tokenAccount(network.mint, Keypair.generate().publicKey);
  const proposer = adminOf(network).publicKey;
  const slash = await network.approved({ kind: 'slash', worker: key.publicKey, amount: 5_000n });
  const pay = (source: 'fees' | 'slashedStake', amount: bigint) =>
    network.approved({ kind: 'treasury', source, amount, destination: treasury });
  const numbers = {
    fees: await pay('fees', 20n),
    more: await pay('fees', 1n),
    stake: await pay('slashedStake', 1_000n),
  };
  network.post();
  chain.pass(TIMES.timelockSlots);
  chain.must([await build.executeSlash(proposer, slash, key.publicKey)]);
  const paying = async (
    number: bigint,
    source: 'fees' | 'slashedStake',
    destination: PublicKey = treasury,
  ) => chain.send([await build.executeTreasury(proposer, number, { source, destination })]).refusal;
  expect(await paying(numbers.fees, 'fees', elsewhere)).toBe('WrongAddress');
  expect(await paying(numbers.fees, 'slashedStake')).toBe('WrongAddress');
  expect(await paying(numbers.fees, 'fees')).toBeNull();
  expect(await paying(numbers.more, 'fees')).toBe('NothingToWithdraw');
  expect(await paying(numbers.stake, 'slashedStake')).toBeNull();
  expect(chain.balance(treasury)).toBe(1_020n);
});
