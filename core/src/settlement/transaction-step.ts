/** What one node's history says of a signature. `seen` may still disappear with its fork; `finalized` and `refused` may not. */
export type Sighting = 'absent' | 'seen' | 'finalized' | 'refused';

/**
 * What one node answered. Its height was asked for before its history: a transaction that landed by a height below it is then in that
 * history, unless the node lies. Null: it did not answer.
 */
export type NodeWord = {
  readonly finalizedHeight: bigint;
  readonly sighting: Sighting;
} | null;

/** What to do next for a transaction whose signed bytes are kept. */
export type TransactionStep =
  /** It has happened, for ever. */
  | 'done'
  /** It is in the finalized chain and changed nothing: its bytes are spent. */
  | 'failed'
  /** Send the same bytes again. */
  | 'resend'
  /** It can never land: whoever still wants it signs anew. */
  | 'expired'
  | 'wait';

/** On whose word nothing irreversible rests alone: one node may lie. */
const ENOUGH = 2;

/**
 * Decides, from what independent nodes say, what becomes of a signed transaction (G10). Nothing is believed for good that fewer than
 * two nodes say, and never against a third that says otherwise of the finalized chain. Bytes are given up only when two nodes have
 * passed the last height that could take them and know nothing of them, and no node knows more.
 */
export function transactionStep(
  lastValidHeight: bigint,
  words: readonly NodeWord[],
): TransactionStep {
  const said = words.filter((word) => word !== null);
  const count = (sighting: Sighting) => said.filter((word) => word.sighting === sighting).length;
  if (count('finalized') >= ENOUGH && count('refused') === 0) return 'done';
  if (count('refused') >= ENOUGH && count('finalized') === 0) return 'failed';
  const missing = said.filter((word) => word.sighting === 'absent');
  const gone = missing.filter((word) => word.finalizedHeight > lastValidHeight).length;
  if (missing.length === said.length && gone >= ENOUGH) return 'expired';
  // Bytes that a node lacks can do no harm there, whatever another one says that it has.
  return missing.length > gone ? 'resend' : 'wait';
}
