import { decodeBase58, PublicKeyText } from '@tidemill/protocol';
import { z } from 'zod';

const address = PublicKeyText.transform((text) => decodeBase58(text) ?? new Uint8Array());

const Environment = z.object({
  /** The orchestrator whose epochs are checked. */
  TIDEMILL_URL: z.url({ protocol: /^https?$/ }),
  /** The host that logins to it name. Default: host and port of the address. */
  TIDEMILL_AUDIENCE: z.string().optional(),
  /** The name of the network, which receipts carry. */
  TIDEMILL_NETWORK: z.string().min(1).max(64),
  /** JSON-RPC of a node that the operator of the orchestrator does not run. */
  TIDEMILL_RPC_URL: z.url({ protocol: /^https?$/ }),
  TIDEMILL_SETTLEMENT_NETWORK: address,
  TIDEMILL_SETTLEMENT_PROGRAM: address,
  /** The key that attests. */
  TIDEMILL_COSIGNER_KEY_FILE: z.string().min(1),
  /** What must not be forgotten lies here. */
  TIDEMILL_COSIGNER_DIR: z.string().min(1),
  /** In ten-thousandths: epochs in which a higher fee was taken are refused. */
  TIDEMILL_MAX_FEE_BPS: z.coerce.number().int().min(0).max(10_000).default(1_000),
  TIDEMILL_COSIGNER_EVERY_MS: z.coerce.number().int().min(100).default(5_000),
});

export interface CosignerSettings {
  readonly url: string;
  readonly audience: string | undefined;
  readonly rpcUrl: string;
  readonly name: string;
  readonly network: Uint8Array;
  readonly program: Uint8Array;
  readonly keyFile: string;
  readonly dir: string;
  readonly maxFeeBps: number;
  readonly everyMs: number;
}

/** What a co-signer's own operator has set, or every fault of it. */
export function readSettings(
  env: NodeJS.ProcessEnv = process.env,
):
  | { readonly ok: true; readonly settings: CosignerSettings }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return { ok: false, faults };
  }
  const set = parsed.data;
  return {
    ok: true,
    settings: {
      url: set.TIDEMILL_URL,
      audience: set.TIDEMILL_AUDIENCE,
      rpcUrl: set.TIDEMILL_RPC_URL,
      name: set.TIDEMILL_NETWORK,
      network: set.TIDEMILL_SETTLEMENT_NETWORK,
      program: set.TIDEMILL_SETTLEMENT_PROGRAM,
      keyFile: set.TIDEMILL_COSIGNER_KEY_FILE,
      dir: set.TIDEMILL_COSIGNER_DIR,
      maxFeeBps: set.TIDEMILL_MAX_FEE_BPS,
      everyMs: set.TIDEMILL_COSIGNER_EVERY_MS,
    },
  };
}
