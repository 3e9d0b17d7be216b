import {
  type Keypair,
  type PublicKey,
  SystemProgram,
  SYSVAR_INSTRUCTIONS_PUBKEY,
} from '@solana/web3.js';
import type { TransactionInstruction } from '@solana/web3.js';
import { TOKEN_PROGRAM_ID } from '@solana/spl-token';
import {
  releasedTotalBytes,
  rootStatementBytes,
  SettlementTree,
  type RootStatement,
  type WorkerLeaf,
} from '@tidemill/protocol';
import { verifySignatures } from '../../signatures.js';
import { sha256, signWith } from '../network.js';
import { hashes, u32, u64, u8, written } from './bytes.js';
import type { Draws } from './draws.js';
import type { ProposedAction, Verdict } from './model.js';
import { placed, type Posted, type World } from './world.js';

/** One instruction to be sent, and what the model says it comes to. */
export interface Move {
  readonly name: string;
  readonly instructions: readonly TransactionInstruction[];
  readonly signers: readonly Keypair[];
  /** Does it in the model. Called once, or not at all when an adversary changes the instruction. */
  readonly foresee: () => Verdict;
}

type Maker = (world: World, draws: Draws) => Move | null;

const COUNT = 6;
const ADMINS = 3;
const AMOUNT = 3_000;

const deposit: Maker = (world, draws) => {
  const [from, to] = [draws.below(COUNT), draws.oneIn(3) ? draws.below(COUNT) : null];
  const amount = draws.oneIn(20) ? 1_000_000n : draws.amount(AMOUNT);
  const payer = placed(world.cast.submitters, from);
  const submitter = to ?? from;
  const { network } = world;
  const accounts = [
    payer.key.publicKey,
    placed(world.cast.submitters, submitter).key.publicKey,
    network.address,
    world.submitterAccount(submitter),
    payer.tokens,
    network.at.vault,
    TOKEN_PROGRAM_ID,
    SystemProgram.programId,
  ];
  return of(world, 'deposit', accounts, [u64(amount)], [payer.key], () =>
    world.model.deposit(from, submitter, amount),
  );
};

const requestWithdrawal: Maker = (world, draws) => {
  const by = draws.below(COUNT);
  const amount = draws.amount(AMOUNT);
  const { key } = placed(world.cast.submitters, by);
  const accounts = [key.publicKey, world.network.address, world.submitterAccount(by)];
  return of(world, 'requestWithdrawal', accounts, [u64(amount)], [key], () =>
    world.model.requestWithdrawal(by, amount),
  );
};

const withdraw: Maker = (world, draws) => {
  const index = draws.below(COUNT);
  const root = rootFor(world, draws);
  const without = root === null || draws.oneIn(6);
  const said = without ? null : placed(root.submitters, index);
  // One in eight claims that less was spent than was.
  const leaf =
    said !== null && draws.oneIn(8)
      ? { ...said, lifetimeRefunded: said.lifetimeRefunded + 1n }
      : said;
  const proof = without ? [] : root.submitterTree.proof(index);
  const { network, cast } = world;
  const accounts = [
    network.address,
    world.submitterAccount(index),
    network.at.vault,
    placed(cast.submitters, index).tokens,
    TOKEN_PROGRAM_ID,
  ];
  const args =
    leaf === null
      ? [u8(0)]
      : [
          u8(1),
          u32(leaf.index),
          u64(leaf.lifetimeSpent),
          u64(leaf.lifetimeRefunded),
          u64(leaf.held),
        ];
  return of(world, 'withdraw', accounts, [...args, hashes(proof)], [], () =>
    world.model.withdraw(index, leaf, proof),
  );
};

const LIES: readonly ((statement: RootStatement) => RootStatement)[] = [
  (said) => ({ ...said, epoch: said.epoch + 1n }),
  (said) => ({ ...said, epoch: said.epoch - 1n }),
  (said) => ({ ...said, sealedSlot: said.sealedSlot + 1n }),
  (said) => ({ ...said, totals: { ...said.totals, earned: said.totals.earned + 1n } }),
  (said) => ({ ...said, totals: { ...said.totals, refunded: said.totals.slashed + 1n } }),
  (said) => ({
    ...said,
    totals: {
      ...said.totals,
      spent: said.totals.spent + 900_000n,
      dust: said.totals.dust + 900_000n,
    },
  }),
  (said) => ({
    ...said,
    totals: {
      ...said.totals,
      spent: said.totals.spent + 30_000n,
      earned: said.totals.earned + 30_000n,
    },
  }),
  (said) => ({ ...said, totals: { ...said.totals, spent: said.totals.spent / 2n } }),
  (said) => ({ ...said, trailSize: 0n }),
];

const postRoot: Maker = (world, draws) => {
  const { network, model } = world;
  const again = draws.oneIn(12) ? world.posted.at(-1) : undefined;
  const next = again ?? world.next();
  const statement =
    again === undefined && draws.oneIn(4) ? draws.of(LIES)(next.statement) : next.statement;
  const signing = network.cosigners.slice(0, draws.oneIn(10) ? 1 : 2);
  const bytes = rootStatementBytes(statement);
  const accounts = [
    network.authority.publicKey,
    network.address,
    network.at.vault,
    SYSVAR_INSTRUCTIONS_PUBKEY,
  ];
  const move = of(world, 'postRoot', accounts, [bytes], [network.authority], () => {
    const verdict = model.postRoot(statement, signing.length);
    if (verdict === null && again === undefined) world.posted.push({ ...next, statement });
    return verdict;
  });
  const place = { instruction: 1, offset: 8, length: bytes.length };
  const verified = verifySignatures(
    signing.map((key) => signWith(key, bytes)),
    place,
  );
  // Posting again succeeds before most of the accounts are looked at.
  const name = again === undefined ? move.name : 'postRootAgain';
  return { ...move, name, instructions: [verified, ...move.instructions] };
};

const voidRoot: Maker = (world, draws) => {
  const guardian = draws.of(world.network.guardians);
  const accounts = [guardian.publicKey, world.network.address];
  return of(world, 'voidRoot', accounts, [], [guardian], () => world.model.voidRoot());
};

const voidRootWithProof: Maker = (world, draws) => {
  const { network, model } = world;
  const root = world.posted.at(-1);
  if (root === undefined) return null;
  const index = draws.below(COUNT);
  const leaf = placed(root.workers, index);
  const released = leaf.lifetimeEarned + BigInt(draws.below(3)) - 1n;
  const epoch = root.statement.epoch + (draws.oneIn(6) ? 1n : 0n);
  const total = {
    network: network.address.toBytes(),
    program: network.chain.program.programId.toBytes(),
    epoch,
    index,
    lifetimeEarned: released < 0n ? 0n : released,
  };
  const bytes = releasedTotalBytes(total);
  const proof = root.workerTree.proof(index);
  const args = [bytes, u8(1), leaf.payee, u64(leaf.lifetimeEarned), u64(leaf.lifetimeSlashed)];
  const accounts = [network.address, SYSVAR_INSTRUCTIONS_PUBKEY];
  const move = of(world, 'voidRootWithProof', accounts, [...args, hashes(proof)], [], () =>
    model.voidRootWithProof({ epoch, index, released: total.lifetimeEarned }, leaf, proof),
  );
  const place = { instruction: 1, offset: 8, length: bytes.length };
  const verified = verifySignatures([signWith(network.releaser, bytes)], place);
  return { ...move, instructions: [verified, ...move.instructions] };
};

/** Leaves that are not in any root. */
const FORGED: readonly ((leaf: WorkerLeaf) => WorkerLeaf)[] = [
  (leaf) => ({ ...leaf, lifetimeEarned: leaf.lifetimeEarned + 1n }),
  (leaf) => ({ ...leaf, lifetimeSlashed: leaf.lifetimeSlashed + 1n }),
  (leaf) => ({ ...leaf, index: leaf.index + 8 }),
  (leaf) => ({ ...leaf, index: (leaf.index + 1) % COUNT }),
];

const claim: Maker = (world, draws) => {
  const root = rootFor(world, draws);
  if (root === null) return null;
  const index = draws.below(COUNT);
  const own = placed(root.workers, index);
  const leaf = draws.oneIn(6) ? draws.of(FORGED)(own) : own;
  const whole = root.workerTree.proof(draws.oneIn(12) ? draws.below(8) : index);
  const proof = draws.oneIn(12) ? whole.slice(1) : whole;
  const { network, cast } = world;
  const { tokens } = placed(cast.workers, index);
  const accounts = [network.address, network.at.vault, world.page, tokens, TOKEN_PROGRAM_ID];
  const args = [
    u32(leaf.index),
    leaf.payee,
    u64(leaf.lifetimeEarned),
    u64(leaf.lifetimeSlashed),
    hashes(proof),
  ];
  return of(world, 'claim', accounts, args, [], () => world.model.claim(leaf, proof));
};

const claimBatch: Maker = (world, draws) => {
  const root = rootFor(world, draws);
  if (root === null) return null;
  const height = draws.below(4);
  const size = 2 ** height;
  const start = size * draws.below(8 / size);
  const hashesHere = Array.from({ length: size }, (_, at) => root.workerTree.leaf(start + at));
  const paid = root.workers.filter(
    ({ index }) => index >= start && index < start + size && !draws.oneIn(4),
  );
  const paidIndexes = new Set(paid.map(({ index }) => index));
  const leaves = hashesHere.map((hash, at) => {
    const leaf = root.workers[start + at];
    return leaf !== undefined && paidIndexes.has(leaf.index)
      ? Buffer.concat([u8(1), u64(leaf.lifetimeEarned), u64(leaf.lifetimeSlashed)])
      : Buffer.concat([u8(0), hash]);
  });
  const proof = root.workerTree.subtreeProof(start, height);
  const { network, cast } = world;
  const accounts = [
    network.address,
    network.at.vault,
    world.page,
    TOKEN_PROGRAM_ID,
    ...paid.map(({ index }) => placed(cast.workers, index).tokens),
  ];
  const args = [u32(start), u8(height), u32(size), ...leaves, hashes(proof)];
  const subtree = {
    root: new SettlementTree(hashesHere, sha256).root,
    place: start / size,
    height,
  };
  return of(world, 'claimBatch', accounts, args, [], () =>
    world.model.claimBatch(paid, subtree, proof),
  );
};

const stake: Maker = (world, draws) => {
  const by = draws.below(COUNT);
  const amount = draws.amount(AMOUNT);
  const { key, tokens } = placed(world.cast.workers, by);
  const { network } = world;
  const accounts = [
    key.publicKey,
    network.address,
    world.stakeAccount(by),
    tokens,
    network.at.stakeVault,
    TOKEN_PROGRAM_ID,
    SystemProgram.programId,
  ];
  return of(world, 'stake', accounts, [u64(amount)], [key], () => world.model.stake(by, amount));
};

const requestUnstake: Maker = (world, draws) => {
  const by = draws.below(COUNT);
  const amount = draws.amount(AMOUNT);
  const { key } = placed(world.cast.workers, by);
  const accounts = [key.publicKey, world.network.address, world.stakeAccount(by)];
  return of(world, 'requestUnstake', accounts, [u64(amount)], [key], () =>
    world.model.requestUnstake(by, amount),
  );
};

const withdrawStake: Maker = (world, draws) => {
  const by = draws.below(COUNT);
  const { key, tokens } = placed(world.cast.workers, by);
  const { network } = world;
  const accounts = [
    key.publicKey,
    network.address,
    world.stakeAccount(by),
    network.at.stakeVault,
    tokens,
    TOKEN_PROGRAM_ID,
  ];
  return of(world, 'withdrawStake', accounts, [], [key], () => world.model.withdrawStake(by));
};

const propose: Maker = (world, draws) => {
  const by = draws.below(ADMINS);
  // A pause is what they are called for.
  const unpause = { kind: 'unpause' } as const;
  const action = draws.of<ProposedAction>([
    ...(world.model.paused ? [unpause, unpause, unpause, unpause] : [unpause]),
    { kind: 'slash', worker: draws.below(COUNT), amount: draws.amount(500) },
    { kind: 'treasury', source: 'fees', amount: draws.amount(40) },
    { kind: 'treasury', source: 'slashedStake', amount: draws.amount(200) },
  ]);
  const admin = placed(world.network.admins, by);
  const accounts = [
    admin.publicKey,
    world.network.address,
    world.proposal(world.model.proposals.length),
    SystemProgram.programId,
  ];
  return of(world, 'propose', accounts, [actionBytes(world, action)], [admin], () =>
    world.model.propose(by, action),
  );
};

const approve: Maker = (world, draws) => {
  const number = recent(world, draws);
  if (number === null) return null;
  const { action, proposer } = placed(world.model.proposals, number);
  const by = draws.oneIn(6) ? draws.below(ADMINS) : (proposer + 1 + draws.below(2)) % ADMINS;
  const admin = placed(world.network.admins, by);
  const accounts = [admin.publicKey, world.network.address, world.proposal(number)];
  const digest = sha256(actionBytes(world, action));
  return of(world, 'approve', accounts, [digest], [admin], () => world.model.approve(by, number));
};

const execute: Maker = (world, draws) => {
  const number = recent(world, draws);
  if (number === null) return null;
  const { network, cast, model } = world;
  const { action, proposer } = placed(model.proposals, number);
  const by = draws.oneIn(8) ? draws.of(['unpause', 'slash', 'treasury'] as const) : action.kind;
  const own = action.kind === 'treasury' ? action.source : 'fees';
  const asked = draws.oneIn(8) ? draws.of(['fees', 'slashedStake'] as const) : own;
  const shared = [
    network.address,
    world.proposal(number),
    placed(network.admins, proposer).publicKey,
  ];
  const worker = action.kind === 'slash' ? action.worker : 0;
  const vault = asked === 'fees' ? network.at.vault : network.at.stakeVault;
  const foresee = () => model.execute(number, by, asked);
  switch (by) {
    case 'unpause':
      return of(world, 'execute', shared, [], [], foresee);
    case 'slash': {
      const accounts = [...shared, world.stakeAccount(worker), network.at.stakeVault];
      return of(world, 'executeSlash', accounts, [], [], foresee);
    }
    case 'treasury': {
      const accounts = [...shared, vault, cast.treasury, TOKEN_PROGRAM_ID];
      return of(world, 'executeTreasury', accounts, [], [], foresee);
    }
  }
};

const pause: Maker = (world, draws) => {
  if (!draws.oneIn(6)) return null;
  const guardian = draws.of(world.network.guardians);
  const accounts = [guardian.publicKey, world.network.address];
  return of(world, 'pause', accounts, [], [guardian], () => world.model.pause());
};

/** How often each is drawn. */
const WEIGHTS: readonly (readonly [Maker, number])[] = [
  [deposit, 8],
  [requestWithdrawal, 5],
  [withdraw, 8],
  [postRoot, 12],
  [voidRoot, 1],
  [voidRootWithProof, 2],
  [claim, 14],
  [claimBatch, 8],
  [stake, 5],
  [requestUnstake, 4],
  [withdrawStake, 5],
  [propose, 3],
  [approve, 9],
  [execute, 9],
  [pause, 1],
];
const MAKERS = WEIGHTS.flatMap(([maker, weight]) => Array<Maker>(weight).fill(maker));

/** A random move that the network's state allows to be built. */
export function anyMove(world: World, draws: Draws): Move {
  for (;;) {
    const move = draws.of(MAKERS)(world, draws);
    if (move !== null) return move;
  }
}

function of(
  world: World,
  name: Parameters<typeof written>[1],
  accounts: readonly PublicKey[],
  args: readonly Uint8Array[],
  signers: readonly Keypair[],
  foresee: () => Verdict,
): Move {
  const { programId } = world.network.chain.program;
  return { name, instructions: [written(programId, name, accounts, args)], signers, foresee };
}

/** Mostly the root that counts; sometimes another one that was posted. */
function rootFor(world: World, draws: Draws): Posted | null {
  const active = world.model.activeRoot?.statement;
  const counts = world.posted.find(({ statement }) => statement === active);
  const any = draws.oneIn(6) || counts === undefined;
  return any && world.posted.length > 0 ? draws.of(world.posted) : (counts ?? null);
}

/** One of the last proposals: older ones have expired. */
function recent(world: World, draws: Draws): number | null {
  const count = world.model.proposals.length;
  return count === 0 ? null : Math.max(0, count - 1 - draws.below(draws.oneIn(3) ? 4 : 1));
}

function actionBytes(world: World, action: ProposedAction): Uint8Array {
  const { cast } = world;
  switch (action.kind) {
    case 'unpause':
      return u8(2);
    case 'slash': {
      const worker = placed(cast.workers, action.worker).key.publicKey.toBytes();
      return Buffer.concat([u8(7), worker, u64(action.amount)]);
    }
    case 'treasury': {
      const source = u8(action.source === 'fees' ? 0 : 1);
      return Buffer.concat([u8(8), source, u64(action.amount), cast.treasury.toBytes()]);
    }
  }
}
