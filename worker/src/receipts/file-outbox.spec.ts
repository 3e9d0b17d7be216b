import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { anId } from '../testing/builders.js';
import { RememberingLog } from '../testing/remembering-log.js';
import { FileOutbox } from './file-outbox.js';

let folder: string;
let path: string;
let opened: FileOutbox[] = [];
const log = new RememberingLog();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemill-outbox-'));
  path = join(folder, 'state', 'outbox.jsonl');
});

afterEach(async () => {
  for (const outbox of opened) await outbox.close();
  opened = [];
  await rm(folder, { recursive: true, force: true });
});

const aReceipt = (text = '{"a":1}') => ({
  attemptId: anId('attempt'),
  fence: 1,
  text,
  expiresAtMs: 9_000,
});

/** An outbox as the next process would find it. */
async function reopened() {
  const outbox = new FileOutbox(path, log);
  opened.push(outbox);
  return { outbox, kept: await outbox.open() };
}

test('what was appended and not removed is there after a restart, in order', async () => {
  const { outbox, kept } = await reopened();
  expect(kept).toEqual([]);
  const [a, b, c] = [aReceipt(), aReceipt('line\nbreak “quoted”'), aReceipt()];
  await outbox.append([a, b]);
  await outbox.append([c]);
  await outbox.remove([a.attemptId]);
  await outbox.close();
  expect((await reopened()).kept).toEqual([b, c]);
});

test('a process that dies without closing loses nothing that was appended', async () => {
  const { outbox } = await reopened();
  const receipt = aReceipt();
  await outbox.append([receipt]);
  expect((await reopened()).kept).toEqual([receipt]);
  await outbox.close();
});

test('a line cut short by a crash is left out and does not spoil what comes after', async () => {
  const first = await reopened();
  const receipt = aReceipt();
  await first.outbox.append([receipt]);
  await first.outbox.close();
  await appendFile(path, '{"put":{"attemptId":"att_0');
  const second = await reopened();
  expect(second.kept).toEqual([receipt]);
  expect(log.messages).toContain('outbox lines unreadable');
  const later = aReceipt();
  await second.outbox.append([later]);
  await second.outbox.close();
  expect((await reopened()).kept).toEqual([receipt, later]);
});

test('only its owner can read it', async () => {
  const { outbox } = await reopened();
  await outbox.close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('the file does not grow without bound', async () => {
  const { outbox } = await reopened();
  const text = 'x'.repeat(16_000);
  for (let i = 0; i < 12; i += 1) {
    const receipts = Array.from({ length: 64 }, () => aReceipt(text));
    await outbox.append(receipts);
    await outbox.remove(receipts.map(({ attemptId }) => attemptId));
  }
  const last = aReceipt();
  await outbox.append([last]);
  await outbox.close();
  expect((await readFile(path)).length).toBeLessThan(6 * 1024 * 1024);
  expect((await reopened()).kept).toEqual([last]);
});
