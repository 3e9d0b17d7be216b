import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Task } from '../../sdk/types.js';
import { cliCase } from '../../testing/cli-case.js';
import { refusal } from '../../testing/fake-orchestrator.js';
import { aJob, aJobDetail, aWorker, JOB_ID, WORKER_ID } from '../../testing/samples.js';

const cli = cliCase();
const page = <T>(items: T[]) => ({ json: { items, nextCursor: null } });

test('jobs are listed with state, progress and cost', async () => {
  await cli.network({
    'GET /v1/jobs': () => page([aJob({ name: 'digits', state: 'running', cost: '1200000' })]),
  });
  const { out } = await cli.tidemill('jobs --state running --limit 5');
  expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['ID', 'NAME', 'KIND', 'STATE', 'TASKS', 'COST', 'SUBMITTED'],
    [JOB_ID, 'digits', 'batch', 'running', '0/1', '1.2', '10 s ago'],
    [''],
  ]);
  expect(Object.fromEntries(cli.requests[0]?.query ?? [])).toEqual({
    state: 'running',
    limit: '5',
  });
});

test('colours appear only where they are wanted', async () => {
  await cli.network({ 'GET /v1/jobs': () => page([aJob({ state: 'succeeded' })]) });
  expect((await cli.tidemill('jobs', { colors: true })).out).toContain('\u001b[32msucceeded');
  expect((await cli.tidemill('jobs')).out).not.toContain('\u001b');
});

test('one job shows its attempts, their workers and decisions', async () => {
  const attempt = {
    id: 'att_1',
    taskId: 'tsk_1',
    number: 2,
    role: 'primary',
    workerId: WORKER_ID,
    fence: 2,
    state: 'accepted',
    reason: null,
    leasedAt: '2030-01-01T00:00:00Z',
    startedAt: null,
    finishedAt: null,
    decisionId: 'dec_1',
    receiptHash: null,
    verdict: 'accepted',
    price: '400000',
  } as const;
  const taskList: Task[] = [{ id: 'tsk_1', index: 0, state: 'succeeded', attempts: [attempt] }];
  await cli.network({
    [`GET /v1/jobs/${JOB_ID}`]: () => ({
      json: aJobDetail({ taskList, reason: { code: 'LATE', message: 'too\u0007 late' } }),
    }),
  });
  const { out } = await cli.tidemill(`get ${JOB_ID}`);
  expect(out).toContain('LATE: too late');
  expect(out).toMatch(new RegExp(`0 +2 primary +accepted +${WORKER_ID} +0\\.4 +dec_1`));
});

test('a plan names what stands in the way and how to relax it', async () => {
  await cli.network({
    'POST /v1/jobs/plan': () => ({
      json: {
        feasibleWorkers: 0,
        consideredWorkers: 3,
        removedBy: [{ constraint: 'gpus', removed: 3, relax: 'gpus: 0' }],
        tasks: 1,
        hold: '2000000',
        price: null,
        expectedStart: { estimate: null, reason: 'no worker fits' },
        balance: { available: '500000', missing: '1500000' },
      },
    }),
  });
  const { code, out } = await cli.tidemill('plan -', {
    stdin: 'kind: batch\nruntime: { noop: {} }',
  });
  expect(code).toBe(0);
  for (const part of [
    '0 of 3 could run it',
    '0.5 available, 1.5 missing',
    'not known: no worker fits',
  ]) {
    expect(out).toContain(part);
  }
  expect(out).toMatch(/gpus +3 +gpus: 0/);
});

test('a log is read over all its pages', async () => {
  const line = (n: number) => ({
    attemptId: 'att_1',
    line: n,
    at: '2030-01-01T00:00:01Z',
    stream: 'out',
    text: `line ${n}`,
  });
  await cli.network({
    [`GET /v1/jobs/${JOB_ID}/logs`]: ({ query }) =>
      query.get('cursor') === null
        ? { json: { items: [line(0)], nextCursor: 'more' } }
        : page([line(1)]),
  });
  expect((await cli.tidemill(`logs ${JOB_ID}`)).out).toBe('00:00:01  line 0\n00:00:01  line 1\n');
});

test('where a job wrote nothing, the reason it failed is shown instead', async () => {
  await cli.network({
    [`GET /v1/jobs/${JOB_ID}/logs`]: () => page([]),
    [`GET /v1/jobs/${JOB_ID}`]: () => ({
      json: aJobDetail({ reason: { code: 'TOLD_TO_FAIL', message: 'as \u001b[2Jtold' } }),
    }),
  });
  const { code, out, err } = await cli.tidemill(`logs ${JOB_ID}`);
  expect([code, out, err]).toEqual([0, '', 'TOLD_TO_FAIL: as told\n']);
});

test('a log that is followed shows each line once until the job is over', async () => {
  const line = (n: number) => ({
    attemptId: 'att_1',
    line: n,
    at: '2030-01-01T00:00:01Z',
    stream: 'out',
    text: `line ${n}`,
  });
  await cli.network({
    [`GET /v1/jobs/${JOB_ID}`]: (_, call) => ({
      json: aJobDetail({ state: call === 1 ? 'running' : 'succeeded' }),
    }),
    [`GET /v1/jobs/${JOB_ID}/logs`]: (_, call) => page(call === 1 ? [line(0)] : [line(0), line(1)]),
  });
  const { code, out } = await cli.tidemill(`logs -f ${JOB_ID} --json`);
  expect(code).toBe(0);
  expect(
    out
      .trim()
      .split('\n')
      .map((text) => (JSON.parse(text) as { line: number }).line),
  ).toEqual([0, 1]);
});

test('outputs are fetched, checked, and named apart where tasks use one name', async () => {
  const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  const output = (taskId: string, name: string, text: string) => ({
    taskId,
    name,
    digest: digest(text),
    sizeBytes: text.length,
    href: '',
  });
  const texts = ['first', 'second', 'model'];
  const task = (id: string, index: number) => ({
    id,
    index,
    state: 'succeeded' as const,
    attempts: [],
  });
  await cli.network({
    [`GET /v1/jobs/${JOB_ID}`]: () => ({
      json: aJobDetail({ taskList: [task('tsk_1', 0), task('tsk_2', 1)] }),
    }),
    [`GET /v1/jobs/${JOB_ID}/outputs`]: () =>
      page([
        output('tsk_1', 'checkpoint.bin', 'first'),
        output('tsk_2', 'checkpoint.bin', 'second'),
        output('tsk_2', 'model.json', 'model'),
      ]),
    'GET /v1/artifacts/*': ({ path }) => ({
      bytes: Buffer.from(texts.find((text) => path.endsWith(digest(text))) ?? ''),
    }),
  });
  const { code } = await cli.tidemill(`outputs ${JOB_ID} --download made`);
  expect(code).toBe(0);
  const folder = join(cli.home, 'made');
  const found = readdirSync(folder)
    .sort()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  expect(found).toEqual([
    ['0-checkpoint.bin', 'first'],
    ['1-checkpoint.bin', 'second'],
    ['model.json', 'model'],
  ]);
});

test('an output whose name is a path is not written', async () => {
  await cli.network({
    [`GET /v1/jobs/${JOB_ID}`]: () => ({ json: aJobDetail() }),
    [`GET /v1/jobs/${JOB_ID}/outputs`]: () =>
      page([
        { taskId: 'tsk_1', name: '../../.bashrc', digest: 'sha256:00', sizeBytes: 1, href: '' },
      ]),
  });
  const { code, err } = await cli.tidemill(`outputs ${JOB_ID} --download made`);
  expect(code).toBe(1);
  expect(err).toContain('which is no file name');
  expect(readdirSync(cli.home)).toEqual([]);
});

test('workers are listed without anybody being known', async () => {
  await cli.network({
    'GET /v1/workers': () => page([aWorker({ state: 'lost', earned: '70000' })]),
  });
  const { out } = await cli.tidemill('workers', { env: { TIDEMILL_URL: cli.url } });
  expect(out).toMatch(new RegExp(`${WORKER_ID} +worker-1 +lost +0 +0\\.6 +0/1 +0\\.05 +0 +0\\.07`));
  expect(cli.requests[0]?.headers.authorization).toBeUndefined();
});

test('the account shows its ledger entries when asked', async () => {
  await cli.network({
    'GET /v1/account': () => ({
      json: {
        id: 'acc_1',
        wallet: 'w',
        available: '1',
        held: '2',
        spent: '3',
        granted: '6',
        warnBelow: null,
      },
    }),
    'GET /v1/account/entries': () =>
      page([
        {
          id: '1',
          at: '2030-01-01T00:00:00Z',
          kind: 'hold',
          ref: JOB_ID,
          postings: [
            { account: 'held', amount: '2' },
            { account: 'available', amount: '-2' },
          ],
        },
      ]),
  });
  const { out } = await cli.tidemill('account --entries');
  expect(out).toContain('-0.000002');
  const json = JSON.parse((await cli.tidemill('account --json')).out) as object;
  expect(json).toMatchObject({ id: 'acc_1', available: '1' });
});

test('a decision is shown as it was recorded', async () => {
  await cli.network({
    'GET /v1/decisions/dec_1': () => ({
      json: { id: 'dec_1', at: 'then', place: 7, record: { chosen: WORKER_ID } },
    }),
  });
  const { out } = await cli.tidemill('decision dec_1');
  expect(out).toContain(`"chosen": "${WORKER_ID}"`);
  expect(out).toMatch(/place in the trail +7/);
});

test('a key is printed alone, so that a script can take it', async () => {
  const key = {
    id: 'key_1',
    name: 'ci',
    prefix: 'tm_ab',
    scopes: ['jobs:read'],
    createdAt: '',
    expiresAt: null,
    lastUsedAt: null,
  };
  await cli.network({
    'POST /v1/keys': () => ({ status: 201, json: { ...key, key: 'tm_abcdef' } }),
    'GET /v1/keys': () => page([key]),
    'DELETE /v1/keys/key_1': () => ({ status: 204 }),
  });
  const made = await cli.tidemill('keys create ci --scopes jobs:read --expires-in 1h');
  expect(made.out).toBe('tm_abcdef\n');
  expect(cli.requests[0]?.json()).toEqual({
    name: 'ci',
    scopes: ['jobs:read'],
    expiresAt: '2030-01-01T01:00:10.000Z',
  });
  expect((await cli.tidemill('keys list')).out).toMatch(/key_1 +ci +tm_ab… +jobs:read +- +never/);
  expect((await cli.tidemill('keys revoke key_1')).out).toBe('key_1 is revoked.\n');
});

test('a scope that does not exist is refused with the list of those that do', async () => {
  const { code, err } = await cli.tidemill('keys create ci --scopes jobs:reed');
  expect(code).toBe(2);
  expect(err).toContain('account:read');
});

test('the operator gives credit under a name that makes it count once', async () => {
  await cli.network({
    'POST /v1/admin/credit': () => ({ status: 201, json: { wallet: 'w1', available: '25000000' } }),
    [`POST /v1/admin/workers/${WORKER_ID}/drain`]: () => ({ json: aWorker({ state: 'draining' }) }),
  });
  const { out } = await cli.tidemill('admin credit w1 25 --ref gift-1');
  expect(out).toBe('w1 has 25 available.\n');
  expect(cli.requests[0]?.json()).toEqual({ wallet: 'w1', amount: '25', ref: 'gift-1' });
  expect((await cli.tidemill(`admin drain ${WORKER_ID}`)).out).toBe(
    'worker-1 is draining, 0 running.\n',
  );
  expect((await cli.tidemill('admin credit w1 0.0000001')).code).toBe(2);
});

test('cancelling says what was paid', async () => {
  await cli.network({
    [`POST /v1/jobs/${JOB_ID}/cancel`]: () => ({ json: aJob({ state: 'cancelled', cost: '10' }) }),
  });
  expect((await cli.tidemill(`cancel ${JOB_ID}`)).out).toBe(`${JOB_ID} cancelled, cost 0.00001\n`);
  expect((await cli.tidemill('cancel job_2')).code).toBe(5);
});

test('a network that is full is named as a refusal', async () => {
  await cli.network({
    'GET /v1/jobs': () => ({
      ...refusal('QUEUE_FULL', 'try later'),
      headers: { 'retry-after': '3600' },
    }),
  });
  const { code, err } = await cli.tidemill('jobs');
  expect(code).toBe(5);
  expect(err).toContain('QUEUE_FULL (503) try later');
});
