/** The finalized chain has done what by the ledger it cannot have done. People have to look. */
export class ContradictionError extends Error {
  override readonly name = 'ContradictionError';
}
