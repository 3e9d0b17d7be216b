import { resolve } from 'node:path';
import { parseAmount, PublicKeyText } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { Command } from 'commander';
import type { ChainPlace, SettlementOnChain } from '../../chain/index.js';
import { readWallet } from '../config/wallet.js';
import { CliError } from '../failure.js';
import type { Session } from '../session.js';

/** Where the chain is, and who signs: options that every command takes that moves tokens. */
export interface ChainOptions {
  readonly rpc?: string;
  readonly networkAccount?: string;
  readonly program?: string;
  readonly key?: string;
}

const RPC = [
  '--rpc <url>',
  'a Solana node that you trust (default: TIDEMILL_RPC_URL, or this machine)',
] as const;
const NETWORK_ACCOUNT = [
  '--network-account <address>',
  "the network's account on chain (default: TIDEMILL_SETTLEMENT_NETWORK, or as the network says)",
] as const;
const PROGRAM = [
  '--program <address>',
  'its program (default: TIDEMILL_SETTLEMENT_PROGRAM, or as the network says)',
] as const;
const KEY = ['--key <file>', 'the key file of the wallet that signs and pays'] as const;

/** Where tokens come from. */
export const SOURCE = [
  '--source <address>',
  "the token account to take them from (default: the wallet's fullest)",
] as const;

/** A command that asks the chain. */
export const chainCommand = (name: string): Command =>
  new Command(name)
    .option(...RPC)
    .option(...NETWORK_ACCOUNT)
    .option(...PROGRAM);

/** A command that signs and pays for what it does there. */
export const walletCommand = (name: string): Command => chainCommand(name).option(...KEY);

const DEFAULT_RPC = 'http://127.0.0.1:8899';

/** The network on chain that is meant. @throws CliError, ChainError */
export async function openChain(
  session: Session,
  options: ChainOptions,
): Promise<SettlementOnChain> {
  const place = await placeOf(session, options);
  // Loaded here alone, so that no other command waits for the chain's code.
  const { SettlementOnChain } = await import('../../chain/index.js');
  return SettlementOnChain.open(place);
}

async function placeOf(session: Session, options: ChainOptions): Promise<ChainPlace> {
  const { env } = session.io;
  const rpcUrl = options.rpc ?? (env['TIDEMILL_RPC_URL'] || DEFAULT_RPC);
  if (!/^https?:\/\//.test(rpcUrl) || !URL.canParse(rpcUrl))
    throw new CliError(`${rpcUrl} is not an address.`, `Write it in full, such as ${DEFAULT_RPC}.`);
  const network = options.networkAccount ?? env['TIDEMILL_SETTLEMENT_NETWORK'];
  const program = options.program ?? env['TIDEMILL_SETTLEMENT_PROGRAM'];
  const known =
    network && program
      ? { network, program }
      : { ...(await shownPlace(session)), ...given({ network, program }) };
  for (const address of [known.network, known.program]) mustBeAddress(address);
  return { rpcUrl, ...known };
}

const given = (known: { network: string | undefined; program: string | undefined }) => ({
  ...(known.network ? { network: known.network } : {}),
  ...(known.program ? { program: known.program } : {}),
});

/** What the newest statement of the network names. */
async function shownPlace(session: Session): Promise<{ network: string; program: string }> {
  for await (const { statement } of session.tidemill().epochs.list()) {
    if (statement === null) continue;
    const { network, program } = statement;
    session.remark(`the network says: account ${network}, program ${program}`);
    return { network, program };
  }
  throw new CliError(
    'The network has not sealed an epoch yet, so it does not say where it is on chain.',
    'Name it with --network-account and --program.',
  );
}

/** @throws CliError for what is no address */
export function mustBeAddress(text: string): void {
  if (!PublicKeyText.safeParse(text).success)
    throw new CliError(`${text} is not an address.`, 'Write it in base58.');
}

/** The wallet that signs. @throws CliError without one */
export function walletOf(session: Session, { key }: ChainOptions): Signer {
  if (key !== undefined) return readWallet(resolve(session.io.cwd, key));
  const file = session.walletFile();
  if (file !== null) return readWallet(file);
  throw new CliError('There is no wallet to sign with.', 'Name its key file with --key.');
}

/** Tokens as base units; more than none. @throws CliError */
export function baseUnits(text: string): bigint {
  const units = parseAmount(text);
  if (units !== null && units > 0n) return units;
  throw new CliError(`${text} is not an amount.`, 'Write tokens, such as 1.20.');
}
