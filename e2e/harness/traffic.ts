import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeBase58, type JobSpec, type LoginChallenge, utf8ToBytes } from '@tidemill/protocol';
import type { Rows } from './books.js';
import { eventually } from './eventually.js';
import { History } from './history.js';
import { type Answer, Http } from './http.js';
import type { Door } from './orchestrator.js';
import { sha256 } from './receipts.js';
import { ScriptedWorker } from './scripted-worker.js';
import { freshSigner } from './signer.js';
import { noopJob, operator, submitter, type AskedJob, type Submitter } from './submitter.js';

/** Jobs of this pool go to workers that break off. */
const FLAKY = 'flaky';
const NOBODYS = 'nobodys';
const OCTETS = { 'content-type': 'application/octet-stream' };
/** Whatever is broken in a test is mended before this is over. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 40;

/** Submitters, an operator and workers that go on whatever happens to the network, and write down what they were told. */
export class Traffic {
  readonly history = new History();
  /** Answers that blame the network: a crash may cost an answer, never a wrong one. */
  readonly internalErrors: unknown[] = [];
  private stopping = false;
  private running: Promise<void>[] = [];

  private constructor(
    private readonly door: Door,
    readonly submitter: Submitter,
    private readonly operator: Http,
    private readonly random: () => number,
  ) {}

  static async open(door: Door, random: () => number): Promise<Traffic> {
    return new Traffic(door, await submitter(door, 100_000), await operator(door), random);
  }

  /** Starts so many clients, and as many workers that break off. */
  start(clients: number, workers: number): void {
    for (let i = 0; i < clients; i += 1) this.running.push(this.repeat(() => this.anOperation()));
    for (let i = 0; i < workers; i += 1)
      this.running.push(this.repeat(() => this.flakyWork().catch(() => undefined)));
  }

  /** Lets everybody finish what was begun. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.running);
    this.running = [];
  }

  private async repeat(act: () => Promise<unknown>): Promise<void> {
    while (!this.stopping) {
      await act();
      await sleep(PAUSE_MS * this.random());
    }
  }

  private anOperation(): Promise<unknown> {
    const choices: readonly [number, () => Promise<unknown>][] = [
      [24, () => this.submit(noopJob(null, this.spec({ sleepMs: this.upTo(20) })))],
      [6, () => this.submit(noopJob(null, { ...this.spec({}), verify: 'standard' }))],
      [4, () => this.submit(noopJob(null, { ...this.spec({}), verify: { replicate: 2 } }))],
      [4, () => this.submit(noopJob(null, this.spec({ fail: 'as told' })))],
      [6, () => this.submit(noopJob(FLAKY, this.spec({})))],
      [6, () => this.cancelOne()],
      [4, () => this.expireOne()],
      [16, () => this.read()],
      [5, () => this.login()],
      [5, () => this.key()],
      [5, () => this.credit()],
      [5, () => this.store()],
      [5, () => this.upload()],
    ];
    let left = this.random() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, act] of choices) if ((left -= weight) < 0) return act();
    return this.read();
  }

  /** Submits under a key until it is accepted; often once more after that, as somebody whose answer was lost would. */
  async submit(spec: AskedJob): Promise<string> {
    const key = randomUUID();
    let id = '';
    for (let again = this.random() < 0.3 ? 2 : 1; again > 0; again -= 1) {
      const { answer, times } = await this.until(() => this.submitter.post(spec, key));
      if (answer.status !== 201) throw new Error(`refused: ${JSON.stringify(answer.body)}`);
      ({ id } = answer.body);
      this.history.add({ name: 'submit', key, times, answer: id });
    }
    return id;
  }

  private async cancelOne(): Promise<void> {
    const pool = this.random() < 0.5 ? FLAKY : null;
    const id = await this.submit(noopJob(pool, this.spec({ sleepMs: 1_500 })));
    await sleep(this.upTo(300));
    const { answer, times } = await this.until(() => this.submitter.cancel(id));
    const state = answer.status === 200 ? answer.body.state : `refused ${answer.status}`;
    this.history.add({ name: 'cancel', key: id, times, answer: state });
  }

  private async expireOne(): Promise<void> {
    const deadline = new Date(Date.now() + 1_500).toISOString();
    const key = randomUUID();
    const spec = noopJob(NOBODYS, { limits: { maxCost: '0.01', deadline } });
    const { answer, times } = await this.until(() => this.submitter.post(spec, key));
    // A deadline that passed while nobody answered is a reason to refuse.
    if (answer.status !== 201) return;
    this.history.add({ name: 'submit', key, times, answer: answer.body.id });
  }

  private async read(): Promise<void> {
    const submitted = this.history.of('submit');
    const one = submitted[Math.floor(this.random() ** 0.3 * submitted.length)];
    if (one === undefined) return;
    const { answer, times } = await this.until(() =>
      this.submitter.http.get<{ state: string }>(`/v1/jobs/${one.answer}`),
    );
    const said = answer.status === 200 ? answer.body.state : `${answer.status}`;
    this.history.add({ name: 'read', key: one.answer, times, answer: said });
  }

  private async login(): Promise<void> {
    const wallet = freshSigner();
    const publicKey = wallet.address;
    const anyone = new Http(this.door.url);
    let token = '';
    const asked = await this.until(async (): Promise<Answer> => {
      // Whatever became of a nonce, it is used up.
      const challenge = await anyone.post<LoginChallenge>('/v1/auth/challenge', { publicKey });
      if (challenge.status !== 201) return challenge;
      const { nonce, message } = challenge.body;
      const signature = encodeBase58(wallet.sign(utf8ToBytes(message)));
      const login = await anyone.post<{ token: string }>('/v1/auth/login', {
        publicKey,
        nonce,
        signature,
      });
      token = login.body.token;
      return login;
    });
    this.history.add({ name: 'login', key: publicKey, times: asked.times, answer: 'in' });
    const http = new Http(this.door.url, token);
    const account = await this.until(() => http.get<{ wallet: string }>('/v1/account'));
    const said = account.answer.body.wallet === publicKey ? 'known' : 'unknown';
    this.history.add({ name: 'account', key: publicKey, times: account.times, answer: said });
  }

  private async key(): Promise<void> {
    const { http } = this.submitter;
    const made = await this.until(() =>
      http.post<{ id: string }>('/v1/keys', { name: 'a key', scopes: ['jobs:read'] }),
    );
    // One that was made and never answered counts against the account's limit.
    if (made.answer.status !== 201) return;
    const { id } = made.answer.body;
    const ended = await this.until(() => http.ask('DELETE', `/v1/keys/${id}`));
    if (ended.answer.status !== 204) throw new Error(`key ${id}: ${ended.answer.status}`);
    this.history.add({ name: 'revoke', key: id, times: ended.times, answer: id });
  }

  private async credit(): Promise<void> {
    const ref = randomUUID();
    const credit = { wallet: this.submitter.wallet.address, amount: '0.01', ref };
    const { answer, times } = await this.until(() =>
      this.operator.post('/v1/admin/credit', credit),
    );
    if (answer.status !== 201) throw new Error(`credit: ${answer.status}`);
    this.history.add({ name: 'credit', key: ref, times, answer: ref });
  }

  private async store(): Promise<void> {
    const { path, digest, text } = someBytes();
    const { http } = this.submitter;
    const kept = await this.until(() => http.ask('PUT', path, { text, headers: OCTETS }));
    if (kept.answer.status > 201) throw new Error(`${path}: ${kept.answer.status}`);
    if (this.random() < 0.5) {
      const removed = await this.until(() => http.ask('DELETE', path));
      // A second request finds what the first one did.
      const done = removed.answer.status === 204 || removed.times > 1;
      if (!done) throw new Error(`${path}: ${removed.answer.status}`);
    } else {
      this.history.add({ name: 'store', key: digest, times: kept.times, answer: digest });
    }
  }

  private async upload(): Promise<void> {
    const { digest, text } = someBytes();
    const { http } = this.submitter;
    const begun = await this.until(() =>
      http.post<{ id: string }>('/v1/artifacts/uploads', { digest, sizeBytes: text.length }),
    );
    // Uploads that were begun and never answered stay open for a while, and only so many may be.
    if (begun.answer.status !== 201) return;
    const path = `/v1/artifacts/uploads/${begun.answer.body.id}`;
    const sent = await this.until(() =>
      http.ask('PATCH', path, { text, headers: { ...OCTETS, 'upload-offset': '0' } }),
    );
    if (sent.answer.status !== 200 && sent.times === 1)
      throw new Error(`${path}: ${sent.answer.status}`);
    if (sent.answer.status === 200)
      this.history.add({ name: 'store', key: digest, times: sent.times, answer: digest });
  }

  /** A worker that takes what it is offered, and sooner or later breaks off without a word. */
  private async flakyWork(): Promise<void> {
    const worker = await ScriptedWorker.join(this.door, FLAKY, { profile: { slots: 4 } });
    try {
      for (let left = 1 + this.upTo(3); left > 0 && !this.stopping; left -= 1) {
        const offer = await worker.offer(3_000);
        const mood = this.random();
        if (mood < 0.2) worker.refuse(offer);
        if (mood < 0.4) continue;
        if (!(await worker.accept(offer))) continue;
        const { attemptId, fence } = offer;
        const progress = { attemptId, fence, step: 1, totalSteps: 2, metrics: { loss: 0.5 } };
        worker.say({ type: 'progress', items: [progress] });
        await sleep(this.upTo(200));
        if (mood < 0.8) await worker.report(offer);
      }
    } finally {
      worker.drop();
    }
  }

  /** Asks until there is an answer that settles it, and says how often that took. */
  private async until<T>(
    ask: () => Promise<Answer<T>>,
  ): Promise<{ answer: Answer<T>; times: number }> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let times = 1; ; times += 1) {
      try {
        const answer = await ask();
        if (answer.status < 500 && answer.status !== 429) return { answer, times };
        if (answer.status !== 503) this.internalErrors.push(answer.body);
      } catch {
        // Cut off: what was asked may have been done, or not.
      }
      if (performance.now() > deadline) throw new Error('the network does not come back');
      await sleep(PAUSE_MS);
    }
  }

  private spec(noop: { sleepMs?: number; fail?: string }): Pick<JobSpec, 'runtime' | 'limits'> {
    return { runtime: { noop }, limits: { maxCost: '0.01' } };
  }

  private upTo(max: number): number {
    return Math.floor(this.random() * max);
  }
}

/** Does whatever is left over, and waits until every job is over and paid and every event has its place. */
export async function windUp(network: Door & Rows): Promise<void> {
  // Two, since one may have to check the other.
  const last = [await joined(network), await joined(network)];
  for (const worker of last) worker.serveInBatches();
  let open: unknown[] = [];
  await eventually(
    'all is over',
    async () => {
      ({ rows: open } = await network.rows.query(OPEN));
      return open.length === 0;
    },
    WOUND_UP_WITHIN_MS,
  ).catch((cause: unknown) => {
    throw new Error(`${String(cause)}: ${JSON.stringify(open.slice(0, 10))}`, { cause });
  });
  for (const worker of last) worker.drop();
}

/** A login that fell into what was just broken is tried again, as every worker does. */
const joined = (network: Door): Promise<ScriptedWorker> =>
  eventually(
    'a worker is let in',
    () => ScriptedWorker.join(network, FLAKY).catch(() => undefined),
    WOUND_UP_WITHIN_MS,
  );

/** A check that nobody could do is waived after a minute. */
const WOUND_UP_WITHIN_MS = 150_000;

const OPEN = `
SELECT 'task' AS what, id, state, concat_ws(' ', role, runtime_class, job_id, waiting, fence, excluded::text) AS more FROM tasks WHERE state IN ('queued', 'leased', 'running', 'verifying')
UNION ALL SELECT 'job', id, state, kind FROM jobs WHERE state IN ('queued', 'running')
UNION ALL SELECT 'attempt', id, state, reason FROM attempts WHERE live
UNION ALL SELECT 'held', owner, balance::text, '' FROM ledger_accounts WHERE bucket = 'held' AND balance <> 0
UNION ALL SELECT 'event', event.id::text, event.kind, event.subject FROM trail_events AS event LEFT JOIN trail_chain AS placed ON placed.event_id = event.id
  WHERE placed.place IS NULL`;

function someBytes() {
  const text = randomUUID();
  const digest = sha256(text);
  return { text, digest, path: `/v1/artifacts/${digest}` };
}
