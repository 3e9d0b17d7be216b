import {
  AddressLookupTableAccount,
  AddressLookupTableProgram,
  type PublicKey,
} from '@solana/web3.js';
import type { TestChain } from './chain.js';

/** A table of addresses on the chain, ready for use. */
export function lookupTable(chain: TestChain, addresses: PublicKey[]): AddressLookupTableAccount {
  const payer = chain.payer.publicKey;
  const recentSlot = chain.slot();
  chain.svm.setSlotHashes([{ slot: recentSlot, hash: chain.svm.latestBlockhash() }]);
  chain.pass(1n);
  const [create, key] = AddressLookupTableProgram.createLookupTable({
    authority: payer,
    payer,
    recentSlot,
  });
  chain.must([create]);
  for (let at = 0; at < addresses.length; at += 20) {
    const extend = AddressLookupTableProgram.extendLookupTable({
      lookupTable: key,
      authority: payer,
      payer,
      addresses: addresses.slice(at, at + 20),
    });
    chain.must([extend]);
  }
  chain.pass(1n);
  return new AddressLookupTableAccount({
    key,
    state: AddressLookupTableAccount.deserialize(chain.data(key)),
  });
}
