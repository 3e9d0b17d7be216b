import { SYSVAR_CLOCK_PUBKEY, SystemProgram, TransactionInstruction } from '@solana/web3.js';
import type { PublicKey } from '@solana/web3.js';
import type { Draws } from './draws.js';
import type { Move } from './moves.js';
import { placed, type World } from './world.js';

/**
 * A move with one account swapped, one signature left away, or arguments that are too short or too long: whatever it would have come
 * to, it has to be refused. Null where the program does not care: the system program is only called to open an account.
 */
export function tampered(world: World, draws: Draws, move: Move): Move | null {
  if (move.name === 'postRootAgain') return null;
  const last = move.instructions.length - 1;
  const original = placed(move.instructions, last);
  const changed = draws.oneIn(6) ? resized(original, draws) : swapped(world, draws, original);
  if (changed === null) return null;
  const instructions = [...move.instructions.slice(0, last), changed];
  const signers = [...move.signers, world.cast.mallory.key].filter((key) =>
    changed.keys.some(({ pubkey, isSigner }) => isSigner && pubkey.equals(key.publicKey)),
  );
  return { ...move, name: `tampered ${move.name}`, instructions, signers };
}

function resized(original: TransactionInstruction, draws: Draws): TransactionInstruction {
  const data = draws.oneIn(2)
    ? original.data.subarray(0, original.data.length - 1)
    : Buffer.concat([original.data, Buffer.of(draws.below(256))]);
  return new TransactionInstruction({ ...original, data });
}

function swapped(
  world: World,
  draws: Draws,
  original: TransactionInstruction,
): TransactionInstruction | null {
  const at = draws.below(original.keys.length);
  const slot = placed(original.keys, at);
  if (slot.pubkey.equals(SystemProgram.programId)) return null;
  const mallory = world.cast.mallory.key.publicKey;
  // A signer is replaced by one who can sign, or does not sign.
  const meta = slot.isSigner
    ? draws.oneIn(2)
      ? { ...slot, pubkey: mallory }
      : { ...slot, isSigner: false }
    : { ...slot, pubkey: draws.of(pool(world, original)) };
  if (meta.isSigner === slot.isSigner && meta.pubkey.equals(slot.pubkey)) return null;
  const keys = original.keys.map((one, place) => (place === at ? meta : one));
  return new TransactionInstruction({ ...original, keys });
}

/** What there is to put in: of this network, of another one, of other actors, and the instruction's own other accounts. */
function pool(world: World, original: TransactionInstruction): PublicKey[] {
  const { cast, network } = world;
  const { other } = cast;
  return [
    network.address,
    network.at.vault,
    network.at.stakeVault,
    network.mint,
    world.page,
    world.submitterAccount(0),
    world.submitterAccount(1),
    world.stakeAccount(0),
    world.stakeAccount(1),
    other.address,
    other.at.vault,
    other.at.stakeVault,
    cast.mallory.key.publicKey,
    cast.mallory.tokens,
    cast.treasury,
    placed(cast.submitters, 0).tokens,
    placed(cast.workers, 0).tokens,
    SYSVAR_CLOCK_PUBKEY,
    network.chain.program.programId,
    ...original.keys.map(({ pubkey }) => pubkey),
  ];
}
