import { randomUUID } from 'node:crypto';
import {
  type AccountView,
  encodeBase58,
  type JobDetail,
  type JobSpec,
  type JobView,
  type LedgerEntryView,
  type LoginChallenge,
  type LoginResult,
  utf8ToBytes,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { expect } from 'vitest';
import { eventually } from './eventually.js';
import { type Answer, Http } from './http.js';
import type { Door } from './orchestrator.js';
import { freshSigner } from './signer.js';

/** Logs a wallet in over HTTP, by signing the challenge. */
async function logIn(orchestrator: Door, wallet: Signer): Promise<LoginResult> {
  const anyone = new Http(orchestrator.url);
  const publicKey = wallet.address;
  const challenge = await anyone.post<LoginChallenge>('/v1/auth/challenge', { publicKey });
  expect(challenge.status).toBe(201);
  const signature = encodeBase58(wallet.sign(utf8ToBytes(challenge.body.message)));
  const login = { publicKey, nonce: challenge.body.nonce, signature };
  const answer = await anyone.post<LoginResult>('/v1/auth/login', login);
  expect(answer.status).toBe(201);
  return answer.body;
}

/** The API as the operator. */
export async function operator(orchestrator: Door): Promise<Http> {
  return new Http(orchestrator.url, (await logIn(orchestrator, orchestrator.admin)).token);
}

/** A new wallet that has logged in and was given so many tokens. */
export async function submitter(orchestrator: Door, tokens = 1_000): Promise<Submitter> {
  const wallet = freshSigner();
  const { token, accountId } = await logIn(orchestrator, wallet);
  if (tokens > 0) {
    const credit = { wallet: wallet.address, amount: String(tokens), ref: randomUUID() };
    const given = await (await operator(orchestrator)).post('/v1/admin/credit', credit);
    expect(given.status).toBe(201);
  }
  return new Submitter(new Http(orchestrator.url, token), wallet, accountId);
}

/** A job that only workers of the pool can run: tests beside each other do not take each other's work. */
export function noopJob(pool: string | null, more: Partial<JobSpec> = {}): JobSpec {
  return {
    kind: 'batch',
    runtime: { noop: {} },
    verify: 'none',
    ...more,
    limits: { maxDuration: '60s', ...more.limits },
    ...(pool === null ? {} : { resources: { gpuModels: [pool], ...more.resources } }),
  };
}

/** What a failed wait says of its job. */
export function summary({ state, reason, cost, taskList }: JobDetail): string {
  const attempts = taskList.flatMap((task) =>
    task.attempts.map(
      ({ role, number, fence, state: is, verdict, price, reason: why, leasedAt, finishedAt }) =>
        `task ${task.index} ${task.state}: ${role} ${number}/${fence} ${is} ${verdict} ${price} ${why} ${leasedAt} ${finishedAt}`,
    ),
  );
  return [`${state} ${JSON.stringify(reason)} ${cost}`, ...attempts].join('\n  ');
}

const OVER = ['succeeded', 'failed', 'cancelled', 'expired'];

/** A spec as it is written, before defaults are filled in and texts become digests. */
export type AskedJob = (typeof JobSpec)['_zod']['input'];

/** Who asks for work and pays. */
export class Submitter {
  constructor(
    readonly http: Http,
    readonly wallet: Signer,
    readonly accountId: string,
  ) {}

  post<T = JobView>(spec: unknown, idempotencyKey?: string): Promise<Answer<T>> {
    const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    return this.http.post<T>('/v1/jobs', spec, headers);
  }

  /** Submits a job that has to be accepted. */
  async submit(spec: AskedJob): Promise<JobView> {
    const answer = await this.post(spec);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    return answer.body;
  }

  cancel(id: string): Promise<Answer<JobView>> {
    return this.http.post<JobView>(`/v1/jobs/${id}/cancel`);
  }

  async job(id: string): Promise<JobDetail> {
    const answer = await this.http.get<JobDetail>(`/v1/jobs/${id}`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return answer.body;
  }

  /** The job as soon as it is as wanted. */
  async when(
    id: string,
    what: string,
    holds: (job: JobDetail) => boolean,
    deadlineMs?: number,
  ): Promise<JobDetail> {
    let last: JobDetail | undefined;
    return eventually(
      `${what}: ${id}`,
      async () => {
        last = await this.job(id);
        return holds(last) && last;
      },
      deadlineMs,
    ).catch((cause: unknown) => {
      throw new Error(`${String(cause)}; it is ${last && summary(last)}`, { cause });
    });
  }

  over(id: string, deadlineMs?: number): Promise<JobDetail> {
    return this.when(id, 'the job is over', ({ state }) => OVER.includes(state), deadlineMs);
  }

  async account(): Promise<AccountView> {
    const answer = await this.http.get<AccountView>('/v1/account');
    expect(answer.status).toBe(200);
    return answer.body;
  }

  /** The account once nothing is held any more: everything is billed. */
  settled(deadlineMs?: number): Promise<AccountView> {
    return eventually(
      'nothing is held any more',
      async () => {
        const account = await this.account();
        return account.held === '0' && account;
      },
      deadlineMs,
    );
  }

  async entries(): Promise<LedgerEntryView[]> {
    const answer = await this.http.get<{ items: LedgerEntryView[] }>(
      '/v1/account/entries?limit=200',
    );
    expect(answer.status).toBe(200);
    return answer.body.items;
  }
}
