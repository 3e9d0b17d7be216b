import { Injectable } from '@nestjs/common';
import {
  bytesToHex,
  encodeBase58,
  type EpochChargeLine,
  type SETTLEMENT_TREES,
  type SubmitterLeafLine,
  type WorkerLeafLine,
} from '@tidemill/protocol';
import type { Response } from 'express';
import { Config } from '../config/env.js';
import { Db } from '../platform/db/db.js';
import { drained } from '../platform/http/drained.js';
import { ProblemError } from '../platform/http/problem.js';
import { Trees } from './trees.js';

/** Lines written at once, some hundred kilobytes. */
const PAGE = 1_000;
/** Streams one process serves at a time; each reads as fast as its client does. */
const MAX_STREAMS = 8;
const RETRY_AFTER_S = 10;

/** What co-signers work a statement out from, as lines of JSON. A stream that was cut off does not end properly. */
@Injectable()
export class EpochLines {
  private running = 0;

  constructor(
    private readonly config: Config,
    private readonly db: Db,
    private readonly trees: Trees,
  ) {}

  /** All leaves of a sealed epoch. @throws ProblemError NOT_FOUND, UNAVAILABLE */
  async leaves(
    number: number,
    tree: (typeof SETTLEMENT_TREES)[number],
    response: Response,
  ): Promise<void> {
    await this.sealed(number);
    const { workers, submitters } = await this.trees.of(BigInt(number));
    const lineOf =
      tree === 'workers'
        ? (index: number) => {
            const leaf = workers.leaves[index];
            return leaf === undefined ? null : workerLine(leaf);
          }
        : (index: number) => {
            const leaf = submitters.leaves[index];
            return leaf === undefined ? null : submitterLine(leaf);
          };
    let next = 0;
    await this.send(response, () => {
      const page: object[] = [];
      for (; page.length < PAGE; next += 1) {
        const line = lineOf(next);
        if (line === null) break;
        page.push(line);
      }
      return Promise.resolve(page);
    });
  }

  /**
   * The charges that joined, for co-signers: receipts say what jobs did, which is not for everybody. For all others there is nothing
   * here. @throws ProblemError NOT_FOUND, UNAVAILABLE
   */
  async charges(number: number, wallet: string, response: Response): Promise<void> {
    if (!this.config.settlement?.cosigners.includes(wallet))
      throw new ProblemError('NOT_FOUND', `There is no epoch ${number} for you to co-sign.`);
    await this.sealed(number);
    let after = '';
    await this.send(response, async () => {
      const rows = await this.db.query<ChargeRow>(CHARGES, [number, after, PAGE]);
      after = rows.at(-1)?.attempt ?? after;
      return rows.map(chargeLine);
    });
  }

  private async sealed(number: number): Promise<void> {
    const found = await this.db.query(`SELECT FROM epochs WHERE number = $1 AND state <> 'open'`, [
      number,
    ]);
    if (found.length === 0) throw new ProblemError('NOT_FOUND', `No epoch ${number} is sealed.`);
  }

  private async send(response: Response, page: () => Promise<readonly object[]>): Promise<void> {
    if (this.running >= MAX_STREAMS) {
      const detail = `${MAX_STREAMS} such streams are running.`;
      throw new ProblemError('UNAVAILABLE', detail, { retryAfterS: RETRY_AFTER_S });
    }
    this.running += 1;
    try {
      for (let lines = await page(); !response.destroyed; lines = await page()) {
        if (!response.headersSent)
          response.writeHead(200, {
            'content-type': 'application/x-ndjson',
            'cache-control': 'no-store',
          });
        const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
        if (!response.write(text)) await drained(response);
        if (lines.length < PAGE) break;
      }
      response.end();
    } catch (error) {
      // The status is sent: only a connection that breaks can say now that there is more.
      if (!response.headersSent) throw error;
      response.destroy();
    } finally {
      this.running -= 1;
    }
  }
}

type Leaves = Awaited<ReturnType<Trees['of']>>;

export const workerLine = (leaf: Leaves['workers']['leaves'][number]): WorkerLeafLine => ({
  index: leaf.index,
  payee: encodeBase58(leaf.payee),
  earned: String(leaf.lifetimeEarned),
  slashed: String(leaf.lifetimeSlashed),
});

export const submitterLine = (leaf: Leaves['submitters']['leaves'][number]): SubmitterLeafLine => ({
  index: leaf.index,
  wallet: encodeBase58(leaf.submitter),
  spent: String(leaf.lifetimeSpent),
  refunded: String(leaf.lifetimeRefunded),
  held: String(leaf.held),
});

interface ChargeRow {
  readonly attempt: EpochChargeLine['attempt'];
  readonly job: EpochChargeLine['job'];
  readonly worker: EpochChargeLine['worker'];
  readonly worker_index: number;
  readonly submitter: string;
  readonly submitter_index: number;
  readonly price: bigint;
  readonly fee: bigint;
  readonly payer: EpochChargeLine['payer'];
  readonly refunded: boolean;
  readonly text: string | null;
  readonly public_key: string;
  readonly path: Buffer | null;
  readonly batch_index: number | null;
  readonly batch_size: number | null;
  readonly signature: Buffer | null;
}

function chargeLine(row: ChargeRow): EpochChargeLine {
  const { text, path, signature } = row;
  return {
    attempt: row.attempt,
    job: row.job,
    worker: row.worker,
    workerIndex: row.worker_index,
    submitter: row.submitter,
    submitterIndex: row.submitter_index,
    price: String(row.price),
    fee: String(row.fee),
    payer: row.payer,
    refunded: row.refunded,
    receipt:
      text === null || path === null || signature === null
        ? null
        : {
            text,
            publicKey: row.public_key,
            batch: {
              index: row.batch_index ?? 0,
              size: row.batch_size ?? 1,
              path: Array.from({ length: path.length / 32 }, (_, i) =>
                bytesToHex(path.subarray(i * 32, (i + 1) * 32)),
              ),
              signature: encodeBase58(signature),
            },
          },
  };
}

/** With the key that the worker had when it signed. */
const CHARGES = `
SELECT charge.attempt_id AS attempt, charge.job_id AS job, charge.worker_id AS worker, worker.index AS worker_index,
  submitter.wallet AS submitter, submitter.index AS submitter_index, charge.price, charge.fee, charge.payer, charge.refunded,
  receipt.text, receipt.path, receipt.batch_index, receipt.batch_size, receipt.signature,
  coalesce((
    SELECT retired.public_key FROM retired_worker_keys AS retired
    WHERE retired.worker_id = charge.worker_id AND retired.retired_at > receipt.received_at ORDER BY retired.retired_at LIMIT 1
  ), (SELECT public_key FROM workers WHERE workers.id = charge.worker_id)) AS public_key
FROM charges AS charge
JOIN settlement_workers AS worker ON worker.worker_id = charge.worker_id
JOIN jobs AS job ON job.id = charge.job_id
JOIN settlement_submitters AS submitter ON submitter.account_id = job.account_id
LEFT JOIN receipts AS receipt ON receipt.attempt_id = charge.attempt_id
WHERE charge.epoch = $1 AND charge.attempt_id > $2 ORDER BY charge.attempt_id LIMIT $3`;
