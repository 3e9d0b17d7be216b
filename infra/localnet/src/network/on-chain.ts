import { programFile } from '@tidemill/settlement-client';
import { freePort } from '../free-port.js';
import { type ChainHandle, startChainProcess } from './chain.js';
import { openSettlement, programAddress, type Settlement } from './settlement.js';

/** An embedded chain with the network's account on it. */
export interface OnChain {
  readonly chain: ChainHandle;
  readonly settlement: Settlement;
  /** What the orchestrator has to be told of it. */
  readonly orchestratorEnv: Readonly<Record<string, string>>;
}

/** As long as the challenge window of the local network lasts, and time to look at it. */
const EPOCH_MIN_MS = 20_000;
/** Rent is paid in play money here, so everybody gets a place and a token account at once. */
const FLOOR = '1';

/** Starts the embedded chain and opens the network's account on it, or finds that of an earlier start. */
export async function startOnChain(dir: string): Promise<OnChain> {
  const port = await freePort();
  const programs = [{ id: programAddress(dir), path: programFile('v3') }];
  const chain = await startChainProcess({ dir, port, programs });
  try {
    const settlement = await openSettlement(dir, chain.rpcUrl);
    const { keyFiles } = settlement;
    return {
      chain,
      settlement,
      orchestratorEnv: {
        TIDEMILL_SETTLEMENT_NETWORK: settlement.network,
        TIDEMILL_SETTLEMENT_PROGRAM: settlement.program,
        TIDEMILL_COSIGNERS: settlement.cosigners.join(','),
        TIDEMILL_COSIGNER_THRESHOLD: '2',
        TIDEMILL_RELEASER_KEY_FILE: keyFiles.releaser,
        TIDEMILL_EPOCH_MIN_MS: String(EPOCH_MIN_MS),
        TIDEMILL_PAYOUT_FLOOR: FLOOR,
        // Two doors of one emulator: enough for the mechanism. Two nodes of one operator would be no better.
        TIDEMILL_CHAIN_RPC_URLS: [port, port + 1].map((one) => `http://127.0.0.1:${one}`).join(','),
        TIDEMILL_CHAIN_GENESIS_HASH: settlement.genesisHash,
        TIDEMILL_AUTHORITY_KEY_FILE: keyFiles.authority,
        TIDEMILL_RELAYER_KEY_FILE: keyFiles.relayer,
        TIDEMILL_CLAIM_FLOOR: FLOOR,
        TIDEMILL_ACCOUNT_FLOOR: FLOOR,
      },
    };
  } catch (error) {
    await chain.stop();
    throw error;
  }
}
