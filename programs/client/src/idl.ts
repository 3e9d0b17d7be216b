import { createHash } from 'node:crypto';
import { REFUSALS } from './refusals.js';

/** The first eight bytes of SHA-256: how Anchor tells instructions, accounts and events apart. */
const discriminator = (namespace: string, name: string): number[] => [
  ...createHash('sha256').update(`${namespace}:${name}`).digest().subarray(0, 8),
];

const snake = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const instruction = <const Name extends string, const Accounts, const Args>(
  name: Name,
  accounts: Accounts,
  args: Args,
) => ({ name, discriminator: discriminator('global', snake(name)), accounts, args });

const account = <const Name extends string>(name: Name) => ({
  name,
  discriminator: discriminator('account', name),
});

const event = <const Name extends string>(name: Name) => ({
  name,
  discriminator: discriminator('event', name),
});

const struct = <const Name extends string, const Fields>(name: Name, fields: Fields) => ({
  name,
  type: { kind: 'struct' as const, fields },
});

const hash = { array: ['u8', 32] } as const;
const network = { name: 'network', writable: true } as const;
const vault = { name: 'vault', writable: true } as const;
const stakeVault = { name: 'stakeVault', writable: true } as const;
const payer = { writable: true, signer: true } as const;
const tokenProgram = { name: 'tokenProgram' } as const;
const systemProgram = { name: 'systemProgram' } as const;
const instructions = { name: 'instructions' } as const;
const proposal = { name: 'proposal', writable: true } as const;
const proposer = { name: 'proposer', writable: true } as const;
const amount = { name: 'amount', type: 'u64' } as const;
const proof = { name: 'proof', type: { vec: hash } } as const;
const keySet = { defined: { name: 'keySet' } } as const;

/** The program as Anchor describes programs (specification 0.1.0). The address is that of the deployment at hand. */
export const settlementIdl = (address: string) => ({
  address,
  metadata: { name: 'settlement' as const, version: '0.1.0' as const, spec: '0.1.0' as const },
  instructions: [
    instruction(
      'initialize',
      [
        { name: 'initializer', ...payer },
        network,
        { name: 'mint' },
        vault,
        stakeVault,
        tokenProgram,
        systemProgram,
      ],
      [
        { name: 'genesisHash', type: hash },
        { name: 'authority', type: 'pubkey' },
        { name: 'releaser', type: 'pubkey' },
        { name: 'cosigners', type: keySet },
        { name: 'admins', type: keySet },
        { name: 'guardians', type: keySet },
        { name: 'parameters', type: { defined: { name: 'parameters' } } },
        { name: 'caps', type: { defined: { name: 'caps' } } },
      ],
    ),
    instruction(
      'deposit',
      [
        { name: 'depositor', ...payer },
        { name: 'submitter' },
        network,
        { name: 'submitterAccount', writable: true },
        { name: 'source', writable: true },
        vault,
        tokenProgram,
        systemProgram,
      ],
      [amount],
    ),
    instruction(
      'requestWithdrawal',
      [
        { name: 'submitter', signer: true },
        { name: 'network' },
        { name: 'submitterAccount', writable: true },
      ],
      [amount],
    ),
    instruction(
      'withdraw',
      [
        network,
        { name: 'submitterAccount', writable: true },
        vault,
        { name: 'destination', writable: true },
        tokenProgram,
      ],
      [{ name: 'leaf', type: { option: { defined: { name: 'submitterLeaf' } } } }, proof],
    ),
    instruction(
      'addPage',
      [
        { name: 'payer', ...payer },
        { name: 'network' },
        { name: 'page', writable: true },
        systemProgram,
      ],
      [{ name: 'number', type: 'u32' }],
    ),
    instruction(
      'postRoot',
      [{ name: 'authority', signer: true }, network, { name: 'vault' }, instructions],
      [{ name: 'statement', type: { defined: { name: 'rootStatement' } } }],
    ),
    instruction('voidRoot', [{ name: 'guardian', signer: true }, network], []),
    instruction(
      'voidRootWithProof',
      [network, instructions],
      [
        { name: 'released', type: { defined: { name: 'releasedTotal' } } },
        { name: 'leaf', type: { option: { defined: { name: 'postedLeaf' } } } },
        proof,
      ],
    ),
    instruction(
      'claim',
      [
        network,
        vault,
        { name: 'page', writable: true },
        { name: 'destination', writable: true },
        tokenProgram,
      ],
      [
        { name: 'index', type: 'u32' },
        { name: 'payee', type: 'pubkey' },
        { name: 'lifetimeEarned', type: 'u64' },
        { name: 'lifetimeSlashed', type: 'u64' },
        proof,
      ],
    ),
    instruction(
      'claimBatch',
      [network, vault, { name: 'page', writable: true }, tokenProgram],
      [
        { name: 'start', type: 'u32' },
        { name: 'height', type: 'u8' },
        { name: 'leaves', type: { vec: { defined: { name: 'batchLeaf' } } } },
        proof,
      ],
    ),
    instruction(
      'stake',
      [
        { name: 'worker', ...payer },
        network,
        { name: 'stakeAccount', writable: true },
        { name: 'source', writable: true },
        stakeVault,
        tokenProgram,
        systemProgram,
      ],
      [amount],
    ),
    instruction(
      'requestUnstake',
      [{ name: 'worker', signer: true }, network, { name: 'stakeAccount', writable: true }],
      [amount],
    ),
    instruction(
      'withdrawStake',
      [
        { name: 'worker', signer: true },
        network,
        { name: 'stakeAccount', writable: true },
        stakeVault,
        { name: 'destination', writable: true },
        tokenProgram,
      ],
      [],
    ),
    instruction(
      'propose',
      [{ name: 'proposer', ...payer }, network, proposal, systemProgram],
      [{ name: 'action', type: { defined: { name: 'action' } } }],
    ),
    instruction(
      'approve',
      [{ name: 'approver', signer: true }, network, proposal],
      [{ name: 'digest', type: hash }],
    ),
    instruction('execute', [network, proposal, proposer], []),
    instruction(
      'executeSlash',
      [
        network,
        proposal,
        proposer,
        { name: 'stakeAccount', writable: true },
        { name: 'stakeVault' },
      ],
      [],
    ),
    instruction(
      'executeTreasury',
      [network, proposal, proposer, vault, { name: 'destination', writable: true }, tokenProgram],
      [],
    ),
    instruction('pause', [{ name: 'guardian', signer: true }, network], []),
  ] as const,
  accounts: [
    account('Network'),
    account('Page'),
    account('Submitter'),
    account('Stake'),
    account('Proposal'),
  ] as const,
  events: [
    event('Initialized'),
    event('Deposited'),
    event('WithdrawalRequested'),
    event('Withdrawn'),
    event('PageAdded'),
    event('RootPosted'),
    event('RootVoided'),
    event('Claimed'),
    event('BatchClaimed'),
    event('Staked'),
    event('UnstakeRequested'),
    event('StakeWithdrawn'),
    event('Slashed'),
    event('Proposed'),
    event('Approved'),
    event('Executed'),
    event('Paused'),
  ] as const,
  errors: REFUSALS,
  types: [
    struct('KeySet', [
      { name: 'threshold', type: 'u8' },
      { name: 'keys', type: { vec: 'pubkey' } },
    ]),
    struct('Parameters', [
      { name: 'challengeSlots', type: 'u64' },
      { name: 'unbondingSlots', type: 'u64' },
      { name: 'timelockSlots', type: 'u64' },
      { name: 'approvalSlots', type: 'u64' },
      { name: 'staleSlots', type: 'u64' },
      { name: 'accountOpeningFee', type: 'u64' },
    ]),
    struct('Caps', [
      { name: 'windowSlots', type: 'u64' },
      { name: 'growthLimit', type: 'u64' },
      { name: 'relativeFloor', type: 'u64' },
      { name: 'growthBps', type: 'u64' },
    ]),
    struct('Totals', [
      { name: 'spent', type: 'u64' },
      { name: 'earned', type: 'u64' },
      { name: 'slashed', type: 'u64' },
      { name: 'refunded', type: 'u64' },
      { name: 'fees', type: 'u64' },
      { name: 'feesGiven', type: 'u64' },
      { name: 'dust', type: 'u64' },
    ]),
    struct('RootStatement', [
      { name: 'tag', type: { array: ['u8', 27] } },
      { name: 'network', type: 'pubkey' },
      { name: 'program', type: 'pubkey' },
      { name: 'epoch', type: 'u64' },
      { name: 'sealedSlot', type: 'u64' },
      { name: 'workerRoot', type: hash },
      { name: 'workerDepth', type: 'u8' },
      { name: 'submitterRoot', type: hash },
      { name: 'submitterDepth', type: 'u8' },
      { name: 'totals', type: { defined: { name: 'totals' } } },
      { name: 'trailRoot', type: hash },
      { name: 'trailSize', type: 'u64' },
      { name: 'registryRoot', type: hash },
    ]),
    struct('ReleasedTotal', [
      { name: 'tag', type: { array: ['u8', 26] } },
      { name: 'network', type: 'pubkey' },
      { name: 'program', type: 'pubkey' },
      { name: 'epoch', type: 'u64' },
      { name: 'index', type: 'u32' },
      { name: 'lifetimeEarned', type: 'u64' },
    ]),
    struct('SubmitterLeaf', [
      { name: 'index', type: 'u32' },
      { name: 'lifetimeSpent', type: 'u64' },
      { name: 'lifetimeRefunded', type: 'u64' },
      { name: 'held', type: 'u64' },
    ]),
    struct('PostedLeaf', [
      { name: 'payee', type: 'pubkey' },
      { name: 'lifetimeEarned', type: 'u64' },
      { name: 'lifetimeSlashed', type: 'u64' },
    ]),
    {
      name: 'BatchLeaf' as const,
      type: {
        kind: 'enum' as const,
        variants: [
          { name: 'passedOver', fields: [{ name: 'hash', type: hash }] },
          {
            name: 'paid',
            fields: [
              { name: 'lifetimeEarned', type: 'u64' },
              { name: 'lifetimeSlashed', type: 'u64' },
            ],
          },
        ] as const,
      },
    },
    {
      name: 'Source' as const,
      type: {
        kind: 'enum' as const,
        variants: [{ name: 'fees' }, { name: 'slashedStake' }] as const,
      },
    },
    {
      name: 'Action' as const,
      type: {
        kind: 'enum' as const,
        variants: [
          {
            name: 'setParameters',
            fields: [{ name: 'parameters', type: { defined: { name: 'parameters' } } }],
          },
          { name: 'setCaps', fields: [{ name: 'caps', type: { defined: { name: 'caps' } } }] },
          { name: 'unpause' },
          {
            name: 'setOperators',
            fields: [
              { name: 'authority', type: 'pubkey' },
              { name: 'releaser', type: 'pubkey' },
            ],
          },
          { name: 'setCosigners', fields: [{ name: 'keys', type: keySet }] },
          { name: 'setAdmins', fields: [{ name: 'keys', type: keySet }] },
          { name: 'setGuardians', fields: [{ name: 'keys', type: keySet }] },
          { name: 'slash', fields: [{ name: 'worker', type: 'pubkey' }, amount] },
          {
            name: 'treasury',
            fields: [
              { name: 'source', type: { defined: { name: 'source' } } },
              amount,
              { name: 'destination', type: 'pubkey' },
            ],
          },
        ] as const,
      },
    },
    struct('StoredKeys', [
      { name: 'threshold', type: 'u8' },
      { name: 'count', type: 'u8' },
      { name: 'keys', type: { array: ['pubkey', 8] } },
    ]),
    struct('Root', [
      { name: 'epoch', type: 'u64' },
      { name: 'sealedSlot', type: 'u64' },
      { name: 'activationSlot', type: 'u64' },
      { name: 'totals', type: { defined: { name: 'totals' } } },
      { name: 'workerRoot', type: hash },
      { name: 'submitterRoot', type: hash },
      { name: 'trailRoot', type: hash },
      { name: 'registryRoot', type: hash },
      { name: 'statementHash', type: hash },
      { name: 'trailSize', type: 'u64' },
      { name: 'workerDepth', type: 'u8' },
      { name: 'submitterDepth', type: 'u8' },
      { name: 'reserved', type: { array: ['u8', 6] } },
    ]),
    struct('Network', [
      { name: 'initializer', type: 'pubkey' },
      { name: 'genesisHash', type: hash },
      { name: 'mint', type: 'pubkey' },
      { name: 'tokenProgram', type: 'pubkey' },
      { name: 'vault', type: 'pubkey' },
      { name: 'stakeVault', type: 'pubkey' },
      { name: 'authority', type: 'pubkey' },
      { name: 'releaser', type: 'pubkey' },
      { name: 'deposited', type: 'u64' },
      { name: 'withdrawn', type: 'u64' },
      { name: 'paid', type: 'u64' },
      { name: 'feesWithdrawn', type: 'u64' },
      { name: 'staked', type: 'u64' },
      { name: 'unbonding', type: 'u64' },
      { name: 'slashedStake', type: 'u64' },
      { name: 'parameters', type: { defined: { name: 'parameters' } } },
      { name: 'caps', type: { defined: { name: 'caps' } } },
      { name: 'windowStart', type: 'u64' },
      { name: 'windowBase', type: 'u64' },
      { name: 'lastEpoch', type: 'u64' },
      { name: 'proposals', type: 'u64' },
      { name: 'generation', type: 'u64' },
      { name: 'active', type: { defined: { name: 'root' } } },
      { name: 'pending', type: { defined: { name: 'root' } } },
      { name: 'cosigners', type: { defined: { name: 'storedKeys' } } },
      { name: 'admins', type: { defined: { name: 'storedKeys' } } },
      { name: 'guardians', type: { defined: { name: 'storedKeys' } } },
      { name: 'paused', type: 'u8' },
      { name: 'bump', type: 'u8' },
    ]),
    struct('Page', [
      { name: 'network', type: 'pubkey' },
      { name: 'number', type: 'u32' },
      { name: 'reserved', type: { array: ['u8', 36] } },
      { name: 'paid', type: { array: ['u64', 1270] } },
    ]),
    struct('Submitter', [
      { name: 'network', type: 'pubkey' },
      { name: 'submitter', type: 'pubkey' },
      { name: 'deposited', type: 'u64' },
      { name: 'withdrawn', type: 'u64' },
      { name: 'requested', type: 'u64' },
      { name: 'requestedSlot', type: 'u64' },
      { name: 'openedSlot', type: 'u64' },
    ]),
    struct('Stake', [
      { name: 'network', type: 'pubkey' },
      { name: 'worker', type: 'pubkey' },
      { name: 'staked', type: 'u64' },
      { name: 'unbonding', type: 'u64' },
      { name: 'unbondedSlot', type: 'u64' },
      { name: 'slashed', type: 'u64' },
    ]),
    struct('Proposal', [
      { name: 'network', type: 'pubkey' },
      { name: 'proposer', type: 'pubkey' },
      { name: 'number', type: 'u64' },
      { name: 'generation', type: 'u64' },
      { name: 'proposedSlot', type: 'u64' },
      { name: 'readySlot', type: 'u64' },
      { name: 'digest', type: hash },
      { name: 'approvals', type: 'u8' },
      { name: 'reserved', type: { array: ['u8', 5] } },
      { name: 'actionLength', type: 'u16' },
      { name: 'action', type: { array: ['u8', 272] } },
    ]),
    struct('Initialized', [
      { name: 'network', type: 'pubkey' },
      { name: 'mint', type: 'pubkey' },
    ]),
    struct('Deposited', [
      { name: 'submitter', type: 'pubkey' },
      amount,
      { name: 'deposited', type: 'u64' },
    ]),
    struct('WithdrawalRequested', [
      { name: 'submitter', type: 'pubkey' },
      amount,
      { name: 'slot', type: 'u64' },
    ]),
    struct('Withdrawn', [
      { name: 'submitter', type: 'pubkey' },
      amount,
      { name: 'withdrawn', type: 'u64' },
    ]),
    struct('PageAdded', [{ name: 'page', type: 'u32' }]),
    struct('RootPosted', [
      { name: 'epoch', type: 'u64' },
      { name: 'activationSlot', type: 'u64' },
      { name: 'statementHash', type: hash },
    ]),
    struct('RootVoided', [
      { name: 'epoch', type: 'u64' },
      { name: 'byProof', type: 'bool' },
    ]),
    struct('Claimed', [{ name: 'index', type: 'u32' }, { name: 'payee', type: 'pubkey' }, amount]),
    struct('BatchClaimed', [
      { name: 'start', type: 'u32' },
      { name: 'height', type: 'u8' },
      amount,
    ]),
    struct('Staked', [{ name: 'worker', type: 'pubkey' }, amount, { name: 'staked', type: 'u64' }]),
    struct('UnstakeRequested', [
      { name: 'worker', type: 'pubkey' },
      amount,
      { name: 'unbondedSlot', type: 'u64' },
    ]),
    struct('StakeWithdrawn', [{ name: 'worker', type: 'pubkey' }, amount]),
    struct('Slashed', [{ name: 'worker', type: 'pubkey' }, amount]),
    struct('Proposed', [
      { name: 'number', type: 'u64' },
      { name: 'digest', type: hash },
    ]),
    struct('Approved', [
      { name: 'number', type: 'u64' },
      { name: 'approver', type: 'pubkey' },
      { name: 'readySlot', type: 'u64' },
    ]),
    struct('Executed', [
      { name: 'number', type: 'u64' },
      { name: 'digest', type: hash },
    ]),
    struct('Paused', [{ name: 'guardian', type: 'pubkey' }]),
  ] as const,
});

/** Anchor's types want arrays that could be changed. */
type Changeable<T> = T extends readonly unknown[]
  ? { -readonly [Key in keyof T]: Changeable<T[Key]> }
  : T extends object
    ? { -readonly [Key in keyof T]: Changeable<T[Key]> }
    : T;

export type SettlementIdl = Changeable<ReturnType<typeof settlementIdl>>;
