import { CHAIN, charge, check, hold, NETWORK, refund, release } from '@tidemill/core/ledger';
import { encodeBase58, type AccountId, type JobId, type WorkerId } from '@tidemill/protocol';
import { randomUUID } from 'node:crypto';
import { LedgerBook } from '../../accounts/ledger-book.store.js';
import {
  startStages,
  type StageHost,
  type StageOptions,
} from '../../identity/testing/stage-host.js';
import { aWallet } from '../../identity/testing/wallet.js';
import { Ids } from '../../platform/ids.js';
import { eventually } from '../../testing/eventually.js';
import { ChainBooks } from '../chain-books.js';
import { SealingService } from '../sealing.service.js';
import { SettlementLoop } from '../settlement.loop.js';
import { SettlementModule } from '../settlement.module.js';

/** Addresses of a network on a chain that is not there: nothing of it is asked in these tests. */
const CHAIN_ENV = {
  TIDEMILL_SETTLEMENT_NETWORK: encodeBase58(new Uint8Array(32).fill(7)),
  TIDEMILL_SETTLEMENT_PROGRAM: encodeBase58(new Uint8Array(32).fill(8)),
  TIDEMILL_PAYOUT_FLOOR: '100',
  TIDEMILL_EPOCH_MIN_MS: '0',
} as const;

/** What a network with a chain is told. Joining and sealing take their turns when the test says so. */
export const withChain = (
  cosigners: readonly string[],
): Required<Pick<StageOptions, 'env' | 'overrides'>> => ({
  env: { ...CHAIN_ENV, TIDEMILL_COSIGNERS: cosigners.join(',') },
  overrides: [{ provide: SettlementLoop, useValue: {} }],
});

/** The stage with a chain, and those before it that it needs. */
export const startWithChain = (cosigners: readonly string[]): Promise<StageHost> =>
  startStages([SettlementModule], withChain(cosigners));

export interface Submitter {
  readonly account: AccountId;
  readonly wallet: string;
}

/** What a charge was; the rest of a job that has ended. */
interface Charged {
  readonly price: bigint;
  readonly fee?: bigint;
  readonly payer?: 'submitter' | 'fees';
  readonly refunded?: boolean;
  readonly released?: boolean;
  readonly settled?: boolean;
}

/** Rows as the stages before settlement leave them, with the ledger's entries. */
export class SettledRows {
  constructor(private readonly host: StageHost) {}

  /** A submitter whose deposit is final. */
  async submitter(amount: bigint): Promise<Submitter> {
    const wallet = aWallet().address;
    await this.deposit(wallet, amount);
    const [row] = await this.host.db.query<{ account: AccountId }>(
      'SELECT id AS account FROM accounts WHERE wallet = $1',
      [wallet],
    );
    if (row === undefined) throw new Error('no account');
    return { account: row.account, wallet };
  }

  deposit(wallet: string, amount: bigint, ref: string = randomUUID()): Promise<void> {
    return this.host.db.transaction((tx) =>
      this.host.app.get(ChainBooks).deposited(tx, { wallet, amount, ref }),
    );
  }

  async worker(payout: string = aWallet().address): Promise<WorkerId> {
    const id = this.host.app.get(Ids).make('worker');
    await this.host.db.query(WORKER, [id, aWallet().address, payout]);
    return id;
  }

  /** A job that is over, and one charge of it. The submitter's hold was the price and comes back where the network bears it. */
  async charge(submitter: Submitter, worker: WorkerId, charged: Charged): Promise<JobId> {
    const { price, fee = 0n, payer = 'submitter', refunded = false } = charged;
    const { released = true, settled = true } = charged;
    const ids = this.host.app.get(Ids);
    const [job, attempt] = [ids.make('job'), ids.make('attempt')];
    await this.host.db.transaction(async (tx) => {
      await tx.query(JOB, [job, submitter.account, price]);
      await tx.query(CHARGE, [
        attempt,
        job,
        worker,
        price,
        fee,
        payer,
        settled,
        released,
        refunded,
      ]);
      const bps = price === 0n ? 0 : Number((fee * 10_000n) / price);
      const bucket = released ? 'earned' : 'pending';
      await this.host.app
        .get(LedgerBook)
        .book(
          tx,
          payer === 'fees'
            ? [check(attempt, worker, price, bucket)]
            : [
                hold(job, submitter.account, price),
                charge(attempt, submitter.account, worker, price, bps, bucket),
                ...(refunded
                  ? [
                      refund(attempt, submitter.account, price),
                      release(job, submitter.account, price),
                    ]
                  : []),
              ],
        );
    });
    return job;
  }

  /** Seals the open epoch, as soon as the trail has all of it; gives its number. */
  async seal(): Promise<bigint> {
    let sealed: bigint | undefined;
    await eventually('the trail does not have all of it', async () => {
      // The trail is signed once a second at most, by this clock.
      this.host.clock.advance(1_000);
      const said = await this.host.app.get(SealingService).seal({ whenDue: false });
      if (said.ok) sealed = said.number;
      else if (said.reason !== 'trail-unsigned') throw new Error(said.reason);
      return said.ok;
    });
    if (sealed === undefined) throw new Error('nothing was sealed');
    return sealed;
  }

  balances(owner: string) {
    return this.host.app.get(LedgerBook).balances(owner);
  }

  /** The sum of all balances, which is nothing, and those of the network and the chain. */
  async books() {
    const [sum] = await this.host.db.query<{ units: bigint }>(
      'SELECT sum(balance)::bigint AS units FROM ledger_accounts',
    );
    return {
      sum: sum?.units,
      fees: (await this.balances(NETWORK)).fees,
      vault: -(await this.balances(CHAIN)).vault,
    };
  }
}

const WORKER = `
INSERT INTO workers (id, public_key, name, payout, capabilities, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, slots, gpu_ask, cpu_ask)
VALUES ($1, $2, 'test', $3, '{}', 0, 0, 1000, 1024, 1024, 1, 0, 0)`;

const JOB = `
INSERT INTO jobs (id, account_id, kind, spec, needs, verify, priority, max_attempts, max_duration_ms, hold, task_cap, tasks_total, tasks_left, state)
VALUES ($1, $2, 'batch', '{}', '{}', '{"method":"none"}', 0, 1, 1000, $3, $3, 1, 0, 'succeeded')`;

const CHARGE = `
INSERT INTO charges (attempt_id, job_id, worker_id, price, fee, payer, settled, worker_results, released, refunded)
VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9)`;
