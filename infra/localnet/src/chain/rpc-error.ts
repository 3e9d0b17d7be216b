/** What a request is refused with, as Solana's JSON-RPC says it. */
export class RpcError extends Error {
  override readonly name = 'RpcError';

  constructor(
    readonly code: number,
    message: string,
    readonly data?: unknown,
  ) {
    super(message);
  }
}

/** Codes that clients look at; see Solana's `rpc_custom_error.rs` and the JSON-RPC specification. */
export const RPC = {
  parse: -32700,
  method: -32601,
  params: -32602,
  internal: -32603,
  simulationFailed: -32002,
  signatureInvalid: -32003,
} as const;
