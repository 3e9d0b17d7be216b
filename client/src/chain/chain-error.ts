/** Why something on chain did not happen: what is wrong, and the next step. `code` is stable. */
export class ChainError extends Error {
  override readonly name = 'ChainError';

  constructor(
    readonly code: ChainErrorCode,
    message: string,
    readonly next: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * - `RPC_UNREACHABLE`: the node does not answer.
 * - `NO_NETWORK`: there is no network at the address, or none of this program.
 * - `NO_SOL`: the wallet cannot pay for the transaction.
 * - `NO_TOKEN_ACCOUNT`: the wallet has no account for the network's token.
 * - `TOO_FEW_TOKENS`: its account holds less than is needed.
 * - `WRONG_MINT`: the account that was named is for another token.
 * - `REFUSED`: the program refused it.
 * - `NOT_CONFIRMED`: it was sent and did not make it into a block; it cannot happen any more.
 * - `UNKNOWN`: it was sent, and the node does not say what became of it.
 */
export type ChainErrorCode =
  | 'RPC_UNREACHABLE'
  | 'NO_NETWORK'
  | 'NO_SOL'
  | 'NO_TOKEN_ACCOUNT'
  | 'TOO_FEW_TOKENS'
  | 'WRONG_MINT'
  | 'REFUSED'
  | 'NOT_CONFIRMED'
  | 'UNKNOWN';
