import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JobDetail, Provenance } from '@tidemill/protocol';
import { createKeyFile } from '@tidemill/protocol/node';
import { verifyJob } from '@tidemill/client/verify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.js';
import { writeSmallTraining } from './harness/small-training.js';
import { type TestNetwork, testNetwork } from './harness/test-network.js';
import { jobIdIn, tidemill } from './harness/tidemill-command.js';

let net: TestNetwork;
let home: string;
let env: Record<string, string>;
/** A job that has run and is paid. */
let job: string;
let attempt: string;

/** Nobody answers there: what works with it needs no network. */
const OFFLINE = { TIDEMILL_URL: 'http://127.0.0.1:1' };

beforeAll(async () => {
  net = await testNetwork({ workers: 2 });
  const submitter = await net.aSubmitter('50');
  ({ home } = submitter);
  env = { TIDEMILL_URL: net.url };
  expect((await run('login', '--key', submitter.keyFile)).code).toBe(0);
  const done = await run('run', '--noop', '300ms');
  expect(done.code).toBe(0);
  job = jobIdIn(done.out);
  const shown = JSON.parse((await run('get', job, '--json')).out) as JobDetail;
  attempt = shown.taskList[0]?.attempts[0]?.id ?? '';
});
afterAll(() => net.stop());

const run = (...args: string[]) => tidemill(args, { home, env });
const offline = (...args: string[]) => tidemill(args, { home, env: OFFLINE });
const alter = (from: string, to: string, change: (text: string) => string): void =>
  writeFileSync(join(home, to), change(readFileSync(join(home, from), 'utf8')));

test('a job is checked by its id, and again from a file when nobody answers (G18)', async () => {
  const sound = await run('verify', 'job', job, '--out', 'job.json');
  expect(sound).toMatchObject({ code: 0, out: expect.stringContaining('evidence is sound') });
  expect(sound.out).toContain('signed receipts');
  expect((await offline('verify', 'job', 'job.json')).code).toBe(0);

  alter('job.json', 'altered.json', (text) => text.replace('"price": "', '"price": "9'));
  const altered = await offline('verify', 'job', 'altered.json');
  expect(altered.code).toBe(1);
  expect(altered.out).toContain('CHARGE_CONTRADICTS');
  const stranger = ['--public-key', '4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM'];
  const unknown = await offline('verify', 'job', 'job.json', ...stranger);
  expect(unknown).toMatchObject({ code: 1, out: expect.stringContaining('CHECKPOINT_KEY') });
  expect((await offline('verify', 'job', 'nothing.json')).code).toBe(2);
});

test('one receipt is checked by its attempt, and again from a file when nobody answers', async () => {
  const sound = await run('receipt', attempt, '--verify', '--out', 'receipt.json');
  expect(sound).toMatchObject({ code: 0, out: expect.stringContaining('receipt is sound') });
  expect((await offline('receipt', 'receipt.json', '--verify')).code).toBe(0);
  alter('receipt.json', 'forged.json', (text) => text.replace('billableMs\\":', 'billableMs\\":9'));
  const forged = await offline('receipt', 'forged.json', '--verify');
  expect(forged).toMatchObject({ code: 1, out: expect.stringContaining('RECEIPT_HASH') });
});

test('a decision is decided again from what was recorded, and an altered one is told (G16)', async () => {
  const decision = attempt.replace('att_', 'dec_');
  const same = await run('replay', 'decision', decision, '--out', 'decision.json');
  expect(same, same.err).toMatchObject({ code: 0, out: expect.stringContaining('bit for bit') });
  expect((await offline('replay', 'decision', 'decision.json')).code).toBe(0);

  alter('decision.json', 'busy.json', (text) => text.replace(/"busy": \d+/, '"busy": 7'));
  const busy = await offline('replay', 'decision', 'busy.json');
  expect(busy).toMatchObject({ code: 1, out: expect.stringContaining('DIFFERS') });
  alter('decision.json', 'inputs.json', (text) => text.replace('\\"tasks\\":', '\\"tasks\\": '));
  const inputs = await offline('replay', 'decision', 'inputs.json');
  expect(inputs).toMatchObject({ code: 1, out: expect.stringContaining('INPUTS_DIGEST') });
});

test('a training job proves its seed, its inputs and every segment', async () => {
  writeSmallTraining(home, 'job.yaml', { tfjs: 'seed: 11', job: 'verify: standard' });
  const applied = await run('apply', '-f', 'job.yaml', '--wait');
  expect(applied, applied.err).toMatchObject({ code: 0 });
  const id = jobIdIn(applied.out);
  const bundle = await eventually('the job is settled', async () => {
    const shown = await run('verify', 'job', id, '--json');
    return (JSON.parse(shown.out) as { isSettled: boolean }).isSettled && fetched(id);
  });
  expect(bundle.tasks[0]).toMatchObject({ seed: 11 });
  expect(bundle.tasks[0]?.inputs.length).toBeGreaterThan(0);
  expect(bundle.attempts[0]?.outputs.map(({ name }) => name)).toContain('checkpoint.bin');
  expect(verifyJob(bundle).fault).toBeNull();
});

test('the trail is copied, witnessed by a third party, and checked when nobody answers (G15)', async () => {
  const witness = createKeyFile(join(home, 'witness.json')).address;
  const watch = ['trail', 'witness', '--key', 'witness.json', '--dir', 'watch', '--once'];
  const seen = await run(...watch);
  expect(seen, seen.err).toMatchObject({ code: 0, out: expect.stringContaining('witnessed') });
  expect((await run('trail', 'checkpoints')).out).toContain(witness);
  expect((await run('verify', 'trail', '--witness', witness)).code).toBe(0);

  const copied = await run('trail', 'export', '--out', 'trail.jsonl');
  expect(copied).toMatchObject({ code: 0, out: expect.stringContaining('wrote') });
  const sound = await offline('verify', 'trail', 'trail.jsonl', '--witness', witness);
  expect(sound, sound.out).toMatchObject({ code: 0, out: expect.stringContaining(witness) });
  const stranger = createKeyFile(join(home, 'stranger.json')).address;
  const without = await offline('verify', 'trail', 'trail.jsonl', '--witness', stranger);
  expect(without).toMatchObject({ code: 1, out: expect.stringContaining('has signed nothing') });

  // Whoever shows the witness a smaller trail than before is refused, and the proof is kept.
  alter('watch/last.json', 'watch/last.json', (text) => text.replace(/"size": /, '"size": 9'));
  const refused = await run(...watch);
  expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('NOT WITNESSED: REWIND') });
  expect(readdirSync(join(home, 'watch')).some((name) => name.startsWith('rewind-'))).toBe(true);
});

async function fetched(id: string): Promise<Provenance> {
  const file = `${id}.json`;
  expect((await run('verify', 'job', id, '--out', file)).code).toBe(0);
  return JSON.parse(readFileSync(join(home, file), 'utf8')) as Provenance;
}
