import {
  parseAmount,
  type JobDetail,
  type JobId,
  type JobSpec,
  type JobView,
} from '@tidemill/protocol';
import { randomUUID } from 'node:crypto';
import { STAGES } from '../app.module.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { Config } from '../config/env.js';
import { WorkerWsAdapter } from '../gateway/worker-ws.adapter.js';
import { Directory } from '../identity/directory.js';
import { startStages, type StageHost, type StageOptions } from '../identity/testing/stage-host.js';
import { aWallet, type Wallet } from '../identity/testing/wallet.js';
import { JobViews } from '../jobs/job-views.js';
import { JobsService } from '../jobs/jobs.service.js';
import { ChainBooks } from '../settlement/chain-books.js';
import { eventually } from './eventually.js';

/** The whole road in this process, on a database of its own. Its workers are `StageWorker`s. */
export function startNetwork(options: StageOptions = {}): Promise<StageHost> {
  return startStages(STAGES, {
    ...options,
    env: { TIDEMILL_RELEASE: 'immediate', ...options.env },
    prepare: (app) => {
      app.useWebSocketAdapter(new WorkerWsAdapter(app));
      options.prepare?.(app);
    },
  });
}

/** A job that only workers of the pool can run: tests beside each other do not take each other's work. */
export function noopJob(pool: string, more: Partial<JobSpec> = {}): JobSpec {
  return {
    kind: 'batch',
    runtime: { noop: {} },
    verify: 'none',
    ...more,
    resources: { gpuModels: [pool], ...more.resources },
    limits: { maxDuration: '60s', maxCost: '1', ...more.limits },
  };
}

/** Who asks for work and pays. */
export class StageSubmitter {
  private constructor(
    private readonly host: StageHost,
    readonly accountId: Parameters<JobViews['one']>[0],
    readonly wallet: Wallet,
  ) {}

  /** An account with so many tokens: credit, or a deposit where there is a chain. */
  static async with(host: StageHost, tokens = 1_000): Promise<StageSubmitter> {
    const accounts = host.app.get(AccountsService);
    const wallet = aWallet();
    if (host.app.get(Config).settlement !== null) {
      const amount = parseAmount(String(tokens)) ?? 0n;
      const { address } = wallet;
      const id = await host.db.transaction(async (tx) => {
        const said = { wallet: address, amount, ref: randomUUID() };
        await host.app.get(ChainBooks).deposited(tx, said);
        return host.app.get(Directory).ensureAccount(tx, address);
      });
      return new StageSubmitter(host, id, wallet);
    }
    const { id } = await accounts.credit(wallet.address, String(tokens), randomUUID());
    return new StageSubmitter(host, id, wallet);
  }

  async submit(spec: JobSpec): Promise<JobId> {
    const { id } = await this.host.app.get(JobsService).create(
      {
        accountId: this.accountId,
        operation: 'createJob',
        bodyText: JSON.stringify(spec),
        idempotencyKey: undefined,
      },
      spec,
    );
    return id;
  }

  cancel(id: JobId): Promise<JobView> {
    return this.host.app.get(JobsService).cancel(this.accountId, id);
  }

  job(id: JobId): Promise<JobDetail> {
    return this.host.app.get(JobViews).detail(this.accountId, id);
  }

  /** The job as soon as it is so; fails with what it was instead. */
  async when(id: JobId, holds: (job: JobDetail) => boolean): Promise<JobDetail> {
    let job = await this.job(id);
    await eventually(
      () => `the job is not so: ${JSON.stringify(job)}`,
      async () => {
        job = await this.job(id);
        return holds(job);
      },
    );
    return job;
  }

  /** The job once it has ended. */
  over(id: JobId): Promise<JobDetail> {
    return this.when(id, ({ state }) => state !== 'queued' && state !== 'running');
  }
}
