import { type Address, type EncodedAccount, getBase64Codec } from '@solana/kit';
import {
  type AccountConfig,
  type AccountFilter,
  accountFilter,
  accountView,
} from './account-view.js';
import type { Chain } from './chain.js';
import { type Executed, transactionView } from './executed.js';
import { RPC, RpcError } from './rpc-error.js';
import { BLOCKHASH_LIFE, type Commitment, SLOTS_PER_EPOCH } from './slots.js';
import { TOKEN_PROGRAMS, tokenAccount, uiAmount } from './token-accounts.js';
import { signersOf } from './wire-transaction.js';

const base64 = getBase64Codec();
const LAMPORTS_A_SIGNATURE = 5_000;
/** What a client sees as the node's version; it says whose word this is. */
const VERSION = { 'solana-core': '4.1.0-tidemill-emulator', 'feature-set': 0 };
const MAX_SIGNATURES = 1_000;

interface ProgramAccountsConfig extends AccountConfig {
  readonly filters?: readonly AccountFilter[];
  readonly withContext?: boolean;
}
interface SendConfig {
  readonly encoding?: string;
  readonly skipPreflight?: boolean;
}
interface SimulateConfig {
  readonly encoding?: string;
  readonly sigVerify?: boolean;
  readonly replaceRecentBlockhash?: boolean;
  readonly innerInstructions?: boolean;
  readonly accounts?: { readonly addresses: readonly string[] };
}
interface HistoryConfig {
  readonly before?: string;
  readonly until?: string;
  readonly limit?: number;
}
type TransactionConfig = string | { readonly encoding?: string; readonly commitment?: Commitment };

/** Answers one method. @throws RpcError */
export type Call = (method: string, params: readonly unknown[]) => unknown;

/** The methods of Solana's JSON-RPC that clients need, over a chain; names and shapes are Solana's. */
export function rpcMethods(chain: Chain): Call {
  const methods: Readonly<Record<string, (...params: never[]) => unknown>> = {
    ...clusterMethods(chain),
    ...accountMethods(chain),
    ...transactionMethods(chain),
    ...testMethods(chain),
  };
  return (method, params) => {
    const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (answer === undefined) throw new RpcError(RPC.method, `Method not found: ${method}`);
    return answer(...(params as never[]));
  };
}

/** A value with the slot that it is of. */
export const inContext = (chain: Chain, value: unknown) => ({
  context: { apiVersion: VERSION['solana-core'], slot: chain.slots.now },
  value,
});

function clusterMethods(chain: Chain) {
  const { slots } = chain;
  return {
    getHealth: () => 'ok',
    getVersion: () => VERSION,
    getGenesisHash: () => chain.genesis,
    getIdentity: () => ({ identity: '11111111111111111111111111111111' }),
    getSlot: () => slots.now,
    getBlockHeight: () => slots.now,
    getTransactionCount: () => chain.transactionCount,
    getFirstAvailableBlock: () => 0,
    getBlockTime: () => slots.unixS,
    getRecentPrioritizationFees: () => [],
    getEpochInfo: () => ({
      absoluteSlot: slots.now,
      blockHeight: slots.now,
      epoch: slots.now / SLOTS_PER_EPOCH,
      slotIndex: slots.now % SLOTS_PER_EPOCH,
      slotsInEpoch: SLOTS_PER_EPOCH,
      transactionCount: chain.transactionCount,
    }),
    getEpochSchedule: () => ({
      slotsPerEpoch: SLOTS_PER_EPOCH,
      leaderScheduleSlotOffset: SLOTS_PER_EPOCH,
      warmup: false,
      firstNormalEpoch: 0,
      firstNormalSlot: 0,
    }),
    getLatestBlockhash: () =>
      inContext(chain, {
        blockhash: slots.blockhash,
        lastValidBlockHeight: slots.now + BLOCKHASH_LIFE,
      }),
    isBlockhashValid: (blockhash: string) => inContext(chain, slots.isGood(blockhash)),
    getFeeForMessage: (message: string) =>
      inContext(chain, LAMPORTS_A_SIGNATURE * signersOf(message)),
    getMinimumBalanceForRentExemption: (bytes: number) => chain.rentOf(BigInt(bytes)),
  };
}

function accountMethods(chain: Chain) {
  const show = (address: string, config: AccountConfig = {}) =>
    accountView(chain.account(address), config, (mint) => chain.mint(mint)?.decimals);
  const programAccounts = (program: string, config: ProgramAccountsConfig = {}) =>
    chain
      .programAccounts(program)
      .filter(accountFilter(config.filters))
      .map(({ address }) => ({ pubkey: address, account: show(address, config) }));
  const mintOf = (address: string) => {
    const mint = chain.mint(address);
    if (mint === null) throw new RpcError(RPC.params, 'Invalid param: not a Token mint');
    return mint;
  };
  return {
    getBalance: (address: string) => {
      const account = chain.account(address);
      return inContext(chain, account.exists ? account.lamports : 0n);
    },
    getAccountInfo: (address: string, config?: AccountConfig) =>
      inContext(chain, show(address, config)),
    getMultipleAccounts: (addresses: readonly string[], config?: AccountConfig) =>
      inContext(
        chain,
        addresses.map((address) => show(address, { encoding: 'base64', ...config })),
      ),
    getProgramAccounts: (program: string, config?: ProgramAccountsConfig) => {
      const found = programAccounts(program, config);
      return config?.withContext === true ? inContext(chain, found) : found;
    },
    getTokenAccountsByOwner: (
      owner: string,
      by: { readonly mint?: string; readonly programId?: string },
      config?: AccountConfig,
    ) => {
      const filters: AccountFilter[] = [
        { tokenAccountState: true },
        { memcmp: { offset: 32, bytes: owner } },
      ];
      if (by.mint !== undefined) filters.push({ memcmp: { offset: 0, bytes: by.mint } });
      const programs = by.programId === undefined ? TOKEN_PROGRAMS : [by.programId];
      const wanted = { encoding: 'base64', ...config, filters };
      return inContext(
        chain,
        programs.flatMap((program) => programAccounts(program, wanted)),
      );
    },
    getTokenAccountBalance: (address: string) => {
      const account = chain.account(address);
      const token = account.exists ? tokenAccount(account) : null;
      if (token === null) throw new RpcError(RPC.params, 'Invalid param: not a Token account');
      return inContext(chain, uiAmount(token.amount, mintOf(token.mint).decimals));
    },
    getTokenSupply: (address: string) => {
      const { supply, decimals } = mintOf(address);
      return inContext(chain, uiAmount(supply, decimals));
    },
  };
}

function transactionMethods(chain: Chain) {
  const { slots } = chain;
  return {
    requestAirdrop: (address: string, amount: number) => chain.airdrop(address, BigInt(amount)),
    sendTransaction: (wire: string, config: SendConfig = {}) =>
      chain.send(chain.decode(wire, config.encoding), config),
    simulateTransaction: (wire: string, config: SimulateConfig = {}) => {
      const { after, ...result } = chain.simulate(chain.decode(wire, config.encoding), {
        sigVerify: config.sigVerify ?? false,
        replaceBlockhash: config.replaceRecentBlockhash ?? false,
      });
      const changed = new Map<string, EncodedAccount>(after.map((one) => [one.address, one]));
      const shown = (address: string) => {
        const one = changed.get(address);
        const account =
          one === undefined ? chain.account(address) : { exists: true as const, ...one };
        return accountView(
          account as ReturnType<Chain['account']>,
          { encoding: 'base64' },
          (mint) => chain.mint(mint)?.decimals,
        );
      };
      return inContext(chain, {
        ...result,
        ...(config.innerInstructions === true ? {} : { innerInstructions: null }),
        accounts: config.accounts?.addresses.map(shown) ?? null,
        ...(config.replaceRecentBlockhash === true
          ? {
              replacementBlockhash: {
                blockhash: slots.blockhash,
                lastValidBlockHeight: slots.now + BLOCKHASH_LIFE,
              },
            }
          : {}),
      });
    },
    getSignatureStatuses: (signatures: readonly string[]) =>
      inContext(
        chain,
        signatures.map((signature) => statusOf(chain, chain.transaction(signature))),
      ),
    getTransaction: (signature: string, config?: TransactionConfig) => {
      const { encoding = 'json', commitment } =
        typeof config === 'string' ? { encoding: config } : (config ?? {});
      const one = chain.transaction(signature);
      if (one === undefined || !slots.hasReached(one.slot, commitment)) return null;
      return transactionView(one, encoding);
    },
    getSignaturesForAddress: (address: string, config: HistoryConfig = {}) => {
      const all = chain.history(address);
      const start = all.findIndex(({ signature }) => signature === config.before) + 1;
      const end = all.findIndex(({ signature }) => signature === config.until);
      return all
        .slice(start, end < 0 ? undefined : end)
        .slice(0, config.limit ?? MAX_SIGNATURES)
        .map(({ signature, slot, err, blockTimeS }) => ({
          signature,
          slot,
          err,
          memo: null,
          blockTime: blockTimeS,
          confirmationStatus: slots.commitmentOf(slot),
        }));
    },
  };
}

function statusOf({ slots }: Chain, one: Executed | undefined) {
  if (one === undefined) return null;
  const confirmationStatus = slots.commitmentOf(one.slot);
  return {
    slot: one.slot,
    confirmations: confirmationStatus === 'finalized' ? null : slots.now - one.slot,
    confirmationStatus,
    err: one.err,
    status: one.err === null ? { Ok: null } : { Err: one.err },
  };
}

interface SetAccount {
  /** In base64. */
  readonly data?: string;
  readonly lamports: number;
  readonly owner: string;
  readonly executable?: boolean;
}

/** What no cluster has: for tests that cannot wait, and for states that transactions do not reach. */
function testMethods(chain: Chain) {
  return {
    tidemill_warp: ({ slots = 1, seconds = 0 }: { slots?: number; seconds?: number } = {}) => {
      chain.tick(BigInt(slots), BigInt(seconds));
      return chain.slots.now;
    },
    tidemill_setAccount: (address: string, account: SetAccount) => {
      const data = new Uint8Array(base64.encode(account.data ?? ''));
      chain.setAccount({
        address: address as Address,
        data,
        executable: account.executable ?? false,
        lamports: BigInt(account.lamports) as EncodedAccount['lamports'],
        programAddress: account.owner as Address,
        space: BigInt(data.length),
      });
      return address;
    },
  };
}
