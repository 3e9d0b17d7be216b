import { releasedTotalBytes, type RootStatement } from '@tidemill/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { CAPS, signWith, TestNetwork, TIMES } from './testing/network.js';

/** What comes of posting the ledger's statement, changed. */
async function posting(
  change: (network: TestNetwork) => Partial<RootStatement>,
  signers?: (network: TestNetwork) => TestNetwork['cosigners'],
) {
  const network = await TestNetwork.open();
  await network.submitter(10_000n);
  network.worker();
  network.work(0, 0, 1_000n, 100n);
  const statement = network.statement(change(network));
  const instructions = network.postInstructions(statement, signers?.(network));
  return network.chain.send(instructions, [network.authority]).refusal;
}

describe('post_root', () => {
  test('a root counts once its challenge window has passed (G11)', async () => {
    const network = await TestNetwork.open();
    await network.submitter(1_000n);
    const { tokens } = network.worker();
    network.work(0, 0, 500n);
    network.post();
    const claim = [await network.claim(0, tokens)];
    expect(network.chain.send(claim).refusal).toBe('NoActiveRoot');
    network.chain.pass(TIMES.challengeSlots - 1n);
    expect(network.chain.send(claim).refusal).toBe('NoActiveRoot');
    network.chain.pass(1n);
    expect(network.chain.send(claim).refusal).toBeNull();
    const { active } = await network.state();
    expect(Number(active.trailSize)).toBe(100);
  });

  test('the same root twice is a success, another for the same epoch is refused (G10)', async () => {
    const network = await TestNetwork.open();
    const statement = network.statement();
    const post = (changed: RootStatement) =>
      network.chain.send(network.postInstructions(changed), [network.authority]).refusal;
    expect(post(statement)).toBeNull();
    expect(post(statement)).toBeNull();
    expect(post({ ...statement, trailSize: 999n })).toBe('RootPending');
    network.chain.pass(TIMES.challengeSlots);
    expect(post(statement)).toBeNull();
    expect(post({ ...statement, trailSize: 999n })).toBe('WrongEpoch');
  });

  test.each<[string, Parameters<typeof posting>[0]]>([
    ['WrongEpoch', () => ({ epoch: 2n })],
    ['WrongStatement', () => ({ network: new Uint8Array(32) })],
    ['WrongStatement', () => ({ program: new Uint8Array(32) })],
    ['WrongSealedSlot', ({ chain }) => ({ sealedSlot: chain.slot() + 1n })],
    ['BadArguments', () => ({ workerDepth: 25 })],
    ['SumsDisagree', ({ totals }) => ({ totals: { ...totals, earned: totals.earned + 1n } })],
    ['SumsDisagree', ({ totals }) => ({ totals: { ...totals, refunded: 1n } })],
    [
      'Insolvent',
      ({ totals }) => ({ totals: { ...totals, spent: totals.spent + 9_001n, dust: 9_001n } }),
    ],
  ])('%s refuses a statement that says otherwise', async (refusal, change) => {
    expect(await posting(change)).toBe(refusal);
  });

  test('fewer co-signers than the threshold, one counted twice or a stranger do not suffice (G11)', async () => {
    const nothing = () => ({});
    expect(await posting(nothing, ({ cosigners }) => cosigners.slice(0, 1))).toBe(
      'TooFewCosigners',
    );
    expect(
      await posting(nothing, ({ cosigners }) =>
        cosigners.slice(0, 1).concat(cosigners.slice(0, 1)),
      ),
    ).toBe('TooFewCosigners');
    expect(
      await posting(nothing, ({ cosigners, guardians }) => [
        ...cosigners.slice(0, 1),
        ...guardians,
      ]),
    ).toBe('TooFewCosigners');
    expect(await posting(nothing, ({ cosigners }) => cosigners)).toBeNull();
  });

  test('signatures over another statement, or none in front, are refused', async () => {
    const network = await TestNetwork.open();
    const [verifies, post] = network.postInstructions(network.statement());
    const [othersVerify] = network.postInstructions(network.statement({ trailSize: 7n }));
    if (!verifies || !post || !othersVerify) throw new Error('two instructions');
    expect(network.chain.send([post], [network.authority]).refusal).toBe('BadSignatures');
    // Verified by the runtime itself, over bytes that were not signed.
    expect(network.chain.send([othersVerify, post], [network.authority]).refusal).not.toBeNull();
    // Valid signatures, but not the instruction just before.
    const page = await network.build.addPage(network.chain.payer.publicKey, 1);
    const moved = network.build.postRoot(network.authority.publicKey, network.statement(), [], 0);
    expect(network.chain.send([page, ...moved.slice(1)], [network.authority]).refusal).toBe(
      'BadSignatures',
    );
  });

  test('no lifetime total ever falls', async () => {
    const network = await TestNetwork.open();
    await network.submitter(10_000n);
    network.worker();
    network.work(0, 0, 1_000n, 100n);
    network.settle();
    const totals = { ...network.totals, spent: 999n, earned: 899n };
    const post = network.postInstructions(network.statement({ totals }));
    expect(network.chain.send(post, [network.authority]).refusal).toBe('TotalsFell');
    const shorter = network.postInstructions(network.statement({ trailSize: 1n }));
    expect(network.chain.send(shorter, [network.authority]).refusal).toBe('TotalsFell');
  });

  test('growth above the floor is held to its share of what was earned, until a new window begins', async () => {
    const network = await TestNetwork.open();
    await network.submitter(10n * CAPS.relativeFloor);
    network.worker();
    network.work(0, 0, CAPS.relativeFloor);
    network.settle();
    network.work(0, 0, 1n);
    const post = () =>
      network.chain.send(network.postInstructions(network.statement()), [network.authority])
        .refusal;
    expect(post()).toBe('GrowthLimit');
    network.chain.pass(CAPS.windowSlots);
    expect(post()).toBeNull();
  });
});

describe('void_root', () => {
  test('a guardian takes back a pending root, and its number is not used again', async () => {
    const network = await TestNetwork.open();
    const [guardian] = network.guardians;
    if (!guardian) throw new Error('a guardian');
    const send = async () =>
      network.chain.send([await network.build.voidRoot(guardian.publicKey)], [guardian]).refusal;
    expect(await send()).toBe('NoPendingRoot');
    network.post();
    expect(await send()).toBeNull();
    const again = network.postInstructions(network.statement({ epoch: 1n }));
    expect(network.chain.send(again, [network.authority]).refusal).toBe('WrongEpoch');
    network.settle();
    expect(await send()).toBe('NoPendingRoot');
    const stranger = await network.build.voidRoot(network.authority.publicKey);
    expect(network.chain.send([stranger], [network.authority]).refusal).toBe('NotGuardian');
  });
});

describe('void_root_with_proof', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await TestNetwork.open();
    await network.submitter(10_000n);
    for (let at = 0; at < 3; at += 1) network.worker();
    network.work(0, 1, 500n);
    network.post();
  });

  const attempt = async (
    released: { index: number; lifetimeEarned: bigint; epoch?: bigint },
    options: { key?: TestNetwork['releaser']; at?: number; empty?: boolean } = {},
  ) => {
    const total = {
      network: network.address.toBytes(),
      program: network.chain.program.programId.toBytes(),
      epoch: 1n,
      ...released,
    };
    const at = options.at ?? released.index;
    const leaf = options.empty === true ? null : (network.posted.workers[at] ?? null);
    const proof = at < 4 ? network.workerTree().proof(at) : [];
    const signed = signWith(options.key ?? network.releaser, releasedTotalBytes(total));
    const instructions = await network.build.voidRootWithProof(total, signed, { leaf, proof }, 0);
    return instructions;
  };
  const refusalOf = async (...of: Parameters<typeof attempt>) =>
    network.chain.send(await attempt(...of)).refusal;

  test('a leaf that says what was released stands', async () => {
    expect(await refusalOf({ index: 1, lifetimeEarned: 500n })).toBe('NotBelowReleased');
  });

  test('what others signed, a later epoch or another leaf proves nothing', async () => {
    expect(await refusalOf({ index: 1, lifetimeEarned: 501n }, { key: network.authority })).toBe(
      'BadSignatures',
    );
    expect(await refusalOf({ index: 1, lifetimeEarned: 501n, epoch: 2n })).toBe('WrongEpoch');
    expect(await refusalOf({ index: 1, lifetimeEarned: 501n }, { at: 0 })).toBe('BadProof');
    expect(await refusalOf({ index: 1, lifetimeEarned: 501n }, { empty: true })).toBe('BadProof');
  });

  test('anybody voids a root that is below a released total, or leaves its index out', async () => {
    for (const released of [
      { index: 1, lifetimeEarned: 501n },
      { index: 3, lifetimeEarned: 1n },
      { index: 4, lifetimeEarned: 1n },
    ]) {
      network.chain.must(await attempt(released));
      expect(await refusalOf(released)).toBe('NoPendingRoot');
      network.epoch = BigInt((await network.state()).lastEpoch.toString());
      network.post();
    }
  });
});
