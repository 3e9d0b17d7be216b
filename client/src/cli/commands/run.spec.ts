import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobState } from '../../sdk/types.js';
import { cliCase } from '../../testing/cli-case.js';
import type { Handler } from '../../testing/fake-orchestrator.js';
import { aJob, aJobDetail, JOB_ID } from '../../testing/samples.js';

const cli = cliCase();

const event = (id: number, type: string, data: object = {}) =>
  `data: ${JSON.stringify({ id, at: '2030-01-01T00:00:01Z', type, data })}\n\n`;

/** A job that trains two steps, says something, and ends in a state. */
const jobThatEnds = (state: JobState): Record<string, Handler> => ({
  'POST /v1/jobs': () => ({ status: 201, json: aJob() }),
  [`GET /v1/jobs/${JOB_ID}`]: () => ({
    json: aJobDetail({
      state,
      startedAt: '2030-01-01T00:00:00Z',
      finishedAt: '2030-01-01T00:00:04Z',
      cost: '250000',
      reason: state === 'failed' ? { code: 'JOB_FAILED', message: 'it said no' } : null,
    }),
  }),
  [`GET /v1/jobs/${JOB_ID}/events`]: () => ({
    headers: { 'content-type': 'text/event-stream' },
    pieces: [
      event(1, 'leased', { worker: 'wrk_1', number: 2 }),
      event(2, 'progress', { step: 2, totalSteps: 2, metrics: { loss: 0.25 } }),
      event(3, 'log', { text: 'half\u001b[31m way', stream: 'out' }),
      event(4, 'finished', { state }),
    ],
  }),
  'PUT /v1/artifacts/*': () => ({ status: 201, json: {} }),
});

const submitted = () =>
  cli.requests.find(({ method, path }) => method === 'POST' && path === '/v1/jobs')?.json();

test.each([
  ['succeeded', 0],
  ['failed', 1],
  ['cancelled', 3],
  ['expired', 3],
] as const)('a job that %s gives exit code %i', async (state, code) => {
  await cli.network(jobThatEnds(state));
  expect(await cli.tidemill('run --noop 1s')).toMatchObject({
    code,
    out: expect.stringContaining(state),
  });
});

test('a job is followed on standard error and its end is the result', async () => {
  await cli.network(jobThatEnds('succeeded'));
  const { out, err } = await cli.tidemill('run --noop 1500ms --name first-try');
  expect(submitted()).toEqual({
    kind: 'batch',
    name: 'first-try',
    runtime: { noop: { sleepMs: 1500 } },
  });
  expect(err.split('\n')).toEqual([
    `submitted ${JOB_ID}`,
    '00:00:01  leased attempt 2 on wrk_1',
    'step 2/2  loss 0.2500',
    'half way',
    '00:00:01  finished succeeded',
    '',
  ]);
  expect(out).toBe(`${JOB_ID} succeeded after 4.0 s, cost 0.25 of 1.5 held\n`);
});

test('with --json every event is a line and the job is the last one', async () => {
  await cli.network(jobThatEnds('failed'));
  const { code, out, err } = await cli.tidemill('run --noop 1s --json');
  expect({ code, err }).toEqual({ code: 1, err: '' });
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, { type?: string; state?: string }>);
  expect(lines.map((line) => line['event']?.type ?? line['job']?.state)).toEqual([
    'leased',
    'progress',
    'log',
    'finished',
    'failed',
  ]);
});

test('Ctrl-C leaves the job alone and says how to go on', async () => {
  await cli.network({
    ...jobThatEnds('succeeded'),
    [`GET /v1/jobs/${JOB_ID}`]: () => ({ json: aJobDetail({ state: 'running' }) }),
  });
  const { code, err } = await cli.tidemill('run --noop 1s', { interruptAt: 'half way' });
  expect(code).toBe(130);
  expect(err).toContain(`tidemill cancel ${JOB_ID}`);
});

test('files that a job names are stored first and named by their digest', async () => {
  await cli.network(jobThatEnds('succeeded'));
  mkdirSync(join(cli.home, 'jobs'));
  const files = { 'jobs/x.npy': 'pixels', 'jobs/y.npy': 'labels', 'model.json': '{}' };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cli.home, name), text);
  writeFileSync(
    join(cli.home, 'jobs', 'train.yaml'),
    `kind: training
name: digits
runtime:
  tfjs:
    model: { topology: ../model.json }
    data:
      train: { arrays: { x: file:x.npy, y: ./y.npy } }
      features: { array: x }
      label: { array: y, classes: 10 }
    loss: sparseCategoricalCrossentropy
    epochs: 1
`,
  );
  const { code } = await cli.tidemill('run jobs/train.yaml');
  expect(code).toBe(0);
  const digest = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
  expect(submitted()).toMatchObject({
    runtime: {
      tfjs: {
        model: { topology: digest('{}') },
        data: {
          train: { arrays: { x: digest('pixels'), y: digest('labels') } },
          features: { array: 'x' },
        },
      },
    },
  });
  const stored = cli.requests
    .filter(({ method }) => method === 'PUT')
    .map(({ body }) => body.toString());
  expect(stored.sort()).toEqual(['labels', 'pixels', '{}']);
});

test('a file that a job names and that is not there is named, and nothing is submitted', async () => {
  await cli.network(jobThatEnds('succeeded'));
  const text = 'kind: training\nruntime: { tfjs: { model: { topology: ./gone.json } } }\n';
  const { code, err } = await cli.tidemill('run -', { stdin: text });
  expect(code).toBe(2);
  expect(err).toContain('./gone.json');
  expect(submitted()).toBeUndefined();
});

test.each([
  ['nothing at all', '', 'it is empty'],
  ['broken YAML', 'kind: [', 'is not a job file'],
  ['a list', '- 1\n- 2', 'a mapping with a kind'],
  ['a key that stands twice', 'kind: batch\nkind: training', 'unique'],
])('a job file with %s is refused', async (_, stdin, why) => {
  const { code, err } = await cli.tidemill('run -', { stdin });
  expect(code).toBe(2);
  expect(err).toContain(why);
});

test('several jobs in one file are submitted together, all or none', async () => {
  await cli.network({
    'POST /v1/jobs/batch': () => ({
      status: 201,
      json: {
        jobs: [
          { id: 'job_1', hold: '5' },
          { id: 'job_2', hold: '7' },
        ],
      },
    }),
  });
  const one = 'kind: batch\nruntime: { noop: {} }\n';
  const { code, out } = await cli.tidemill('apply -f - --idempotency-key twice', {
    stdin: `${one}---\n${one}`,
  });
  expect({ code, out }).toEqual({ code: 0, out: 'job_1  hold 0.000005\njob_2  hold 0.000007\n' });
  expect(cli.requests[0]?.headers['idempotency-key']).toBe('twice');
  expect((cli.requests[0]?.json() as { jobs: unknown[] }).jobs).toHaveLength(2);
});

test('apply --wait follows the job and tells how it ended', async () => {
  await cli.network(jobThatEnds('cancelled'));
  const stdin = JSON.stringify({ kind: 'batch', runtime: { noop: {} } });
  const { code, out } = await cli.tidemill('apply --wait -f -', { stdin });
  expect(code).toBe(3);
  expect(out).toContain(`${JOB_ID}  hold 1.5\n${JOB_ID} cancelled`);
});
