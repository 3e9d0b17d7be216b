import {
  type Epoch,
  type Tidemill,
  TidemillError,
  type Worker,
  type WorkerProof,
} from '@tidemill/client';
import { ChainError, checkLeaves, SettlementOnChain } from '@tidemill/client/chain';
import {
  decodeBase58,
  formatAmount,
  hexToBytes,
  type SubmitterLeafLine,
  type WorkerLeafLine,
} from '@tidemill/protocol';
import Table from 'cli-table3';
import { expect } from '../expectation.js';
import { until } from '../until.js';
import { nameOf, type World } from '../world.js';

/** Charges join the open epoch every few seconds. */
const JOINED_WITHIN_MS = 60_000;
/** An epoch is sealed under a checkpoint of the trail, which is signed when it is asked for. */
const SEALED_WITHIN_MS = 90_000;
/** Co-signers look twice a second; a root is posted, waits for 10 slots, and is claimed against. */
const PAID_WITHIN_MS = 90_000;

/** Pays the workers on chain, compares their wallets with the ledger, and checks what the chain holds without believing the orchestrator. */
export async function payout(world: World): Promise<void> {
  const { stage } = world;
  stage.heading('Paid on chain');
  const before = await workersOf(world);
  await joined(world);
  const sealed = await seal(world);
  const { number, charges, totals } = sealed;
  stage.fact('epoch', `${number}, ${charges} charges, ${tokens(totals.earned)} earned`);
  const final = await finalized(world, sealed);
  stage.fact('co-signers', `${final.attestations.length} of 3 worked it out themselves and agree`);
  stage.fact('root', final.statement?.workerRoot ?? '');

  const leaves = await leavesOf(world, number);
  await compareWallets(world, sealed, before, leaves.workers);
  const chain = await SettlementOnChain.open(world.place);
  const { active } = chain.state;
  expect(active !== null, 'a root should be active', 'there is none');
  const checks = checkLeaves(chain.addresses.network.toBytes(), leaves, active);
  const bad = checks.find(({ result }) => result === 'bad');
  expect(bad === undefined, 'the leaves should lead to the roots on chain', bad?.detail ?? '');
  stage.good(`verified without the orchestrator: ${checks.map(({ name }) => name).join(', ')}`);
  await forge(world, chain, number, before);
}

/** Waits until everything that the submitter was charged has joined the open epoch; checks join as far as fees pay for them. */
async function joined({ operator, submitter }: World): Promise<void> {
  const { spent } = await submitter.account.get();
  await until(
    'what was charged should join the epoch',
    async () => {
      for await (const { totals } of operator.epochs.list({ state: 'open' }))
        return totals.spent === spent;
      return false;
    },
    JOINED_WITHIN_MS,
  );
}

async function seal({ operator, stage }: World): Promise<Epoch> {
  let sealed: Epoch | undefined;
  await until(
    'the epoch should be sealed',
    async () => {
      try {
        sealed = await operator.epochs.seal();
        return true;
      } catch (error) {
        if (!(error instanceof TidemillError) || error.code !== 'CONFLICT') throw error;
        stage.live('waiting until the trail has all of it');
        return false;
      }
    },
    SEALED_WITHIN_MS,
  );
  stage.endLive();
  if (sealed === undefined) throw new Error('nothing was sealed');
  return sealed;
}

/** Waits until the epoch's root has been attested, posted, and left alone for its window. */
async function finalized({ operator, stage }: World, { number }: Epoch): Promise<Epoch> {
  let now = await operator.epochs.get(number);
  await until(
    `epoch ${number} should be final`,
    async () => {
      now = await operator.epochs.get(number);
      const [objection] = now.objections;
      expect(objection === undefined, 'co-signers should agree', objection?.reason ?? '');
      stage.live(`${now.state}, ${now.attestations.length} of 3 co-signers agree`);
      return now.state === 'final';
    },
    PAID_WITHIN_MS,
  );
  stage.endLive();
  return now;
}

async function leavesOf({ operator }: World, number: number) {
  const workers: WorkerLeafLine[] = [];
  for await (const leaf of operator.epochs.workerLeaves(number)) workers.push(leaf);
  const submitters: SubmitterLeafLine[] = [];
  for await (const leaf of operator.epochs.submitterLeaves(number)) submitters.push(leaf);
  return { workers, submitters };
}

/** What is in the workers' wallets is what their leaves say, and with what still waits it is what the ledger said. */
async function compareWallets(
  world: World,
  { number, totals }: Epoch,
  before: readonly Worker[],
  leaves: readonly WorkerLeafLine[],
): Promise<void> {
  const { stage, place, operator } = world;
  const chain = await SettlementOnChain.open(place);
  const table = new Table({
    head: ['worker', 'earned, by the ledger', 'in its wallet, by the chain'],
    style: { head: [], border: [] },
  });
  let paid = 0n;
  for (const { id, earned } of before) {
    const leaf = await leafOf(operator, number, id);
    if (leaf === null) continue;
    let has = 0n;
    await until(
      `${nameOf(world, id)} should be paid`,
      async () => {
        has = await chain.tokens(leaf.payee);
        stage.live(`${tokens(has)} of ${tokens(leaf.earned)} paid to ${nameOf(world, id)}`);
        return has === BigInt(leaf.earned);
      },
      PAID_WITHIN_MS,
    );
    paid += has;
    table.push([nameOf(world, id), tokens(earned), tokens(has)]);
  }
  stage.endLive();
  stage.line(table.toString().replace(/^/gm, '   '));
  expect(
    paid === BigInt(totals.earned) && paid === sum(leaves.map(({ earned }) => earned)),
    'all that the epoch says should be paid',
    `${paid} of ${totals.earned} is`,
  );

  // The ledger takes off what it has seen paid: what is left is what still waits.
  const waiting = sum(before.map(({ earned }) => earned)) - paid;
  await until(
    'the ledger should see what was paid, to the base unit',
    async () => sum((await workersOf(world)).map(({ earned }) => earned)) === waiting,
    PAID_WITHIN_MS,
  );
  const rest = waiting === 0n ? '' : `; ${tokens(waiting)} wait until fees pay for them`;
  stage.good(`${tokens(paid)} paid, by the ledger and by the chain to the base unit${rest}`);
}

/** Claims one base unit more than a leaf says, with its real proof. */
async function forge(
  { stage, wallet, operator }: World,
  chain: SettlementOnChain,
  number: number,
  workers: readonly Worker[],
): Promise<void> {
  const leaves = await Promise.all(workers.map(({ id }) => leafOf(operator, number, id)));
  const leaf = leaves.find((one) => one !== null);
  expect(leaf != null, 'a worker should have a leaf', 'none has');
  const forged = {
    index: leaf.index,
    payee: decodeBase58(leaf.payee) ?? new Uint8Array(),
    lifetimeEarned: BigInt(leaf.earned) + 1n,
    lifetimeSlashed: BigInt(leaf.slashed),
  };
  const proof = leaf.path.map(hexToBytes);
  const refusal = await chain.claim(wallet, { leaf: forged, proof }).then(
    () => null,
    (error: unknown) => {
      if (error instanceof ChainError && error.code === 'REFUSED') return error;
      throw error;
    },
  );
  expect(refusal !== null, 'a forged claim should be refused', 'the program paid it');
  stage.good(`a claim of one base unit more: ${refusal.message}`);
}

/** A worker's leaf with its proof; null for one that nothing was sealed for. */
async function leafOf(operator: Tidemill, number: number, id: string): Promise<WorkerProof | null> {
  try {
    return await operator.epochs.workerProof(number, id);
  } catch (error) {
    if (error instanceof TidemillError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

async function workersOf({ operator }: World): Promise<Worker[]> {
  const workers: Worker[] = [];
  for await (const worker of operator.workers.list()) workers.push(worker);
  return workers;
}

const tokens = (baseUnits: string | bigint) => formatAmount(BigInt(baseUnits));
const sum = (amounts: readonly string[]) =>
  amounts.reduce((total, amount) => total + BigInt(amount), 0n);
