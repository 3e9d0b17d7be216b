import { MAX_RECEIPTS_IN_BATCH } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import type { Outgoing } from '../link/connection.js';
import { anId } from '../testing/builders.js';
import { RememberingLog } from '../testing/remembering-log.js';
import { testSigner } from '../testing/test-signer.js';
import { VirtualTime } from '../testing/virtual-time.js';
import { ReceiptDesk } from './desk.js';
import { MemoryOutbox } from './memory-outbox.js';
import type { KeptReceipt } from './outbox.js';

/** A disk that can refuse, and that takes its time. */
class SlowOutbox extends MemoryOutbox {
  isFull = false;
  readonly writes: number[] = [];

  constructor(private readonly time: VirtualTime) {
    super();
  }

  override async append(receipts: readonly KeptReceipt[]): Promise<void> {
    await new Promise<void>((resolve) => this.time.after(10, resolve));
    if (this.isFull) throw new Error('no space left');
    this.writes.push(receipts.length);
    return super.append(receipts);
  }
}

function aDesk() {
  const time = new VirtualTime();
  const outbox = new SlowOutbox(time);
  const log = new RememberingLog();
  const sent: (readonly string[])[] = [];
  const outlet = {
    isConnected: true,
    mustWaitMs: 0,
    isOpen: () => outlet.isConnected,
    waitMs: () => outlet.mustWaitMs,
    send: (message: Outgoing) => {
      if (outlet.isConnected && message.type === 'receipts') sent.push(message.receipts);
      return outlet.isConnected;
    },
  };
  const desk = new ReceiptDesk(
    { clock: time, timers: time, outbox, signer: testSigner(), sha256: nodeSha256, log },
    outlet,
  );
  return { time, outbox, log, sent, desk, outlet };
}

const aReceipt = (): KeptReceipt => {
  const attemptId = anId('attempt');
  return {
    attemptId,
    fence: 1,
    text: JSON.stringify({ attemptId }),
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  };
};

test('nothing is sent before it is on disk', async () => {
  const { time, outbox, sent, desk } = aDesk();
  desk.report(aReceipt());
  await time.advance(12);
  expect(sent).toEqual([]);
  await time.advance(1);
  expect(outbox.writes).toEqual([1]);
  expect(sent).toHaveLength(1);
});

test('what comes in during a write shares the next write and the next frame', async () => {
  const { time, outbox, sent, desk } = aDesk();
  desk.report(aReceipt());
  await time.advance(5);
  for (let i = 0; i < 20; i += 1) desk.report(aReceipt());
  await time.advance(30);
  expect(outbox.writes).toEqual([1, 20]);
  expect(sent.map((receipts) => receipts.length)).toEqual([1, 20]);
});

test('a full batch does not wait for company', async () => {
  const { time, sent, desk } = aDesk();
  for (let i = 0; i < MAX_RECEIPTS_IN_BATCH; i += 1) desk.report(aReceipt());
  await time.advance(10);
  expect(sent.map((receipts) => receipts.length)).toEqual([MAX_RECEIPTS_IN_BATCH]);
});

test('while frames must wait, receipts gather and then fill few frames', async () => {
  const { time, sent, desk, outlet } = aDesk();
  outlet.mustWaitMs = 100;
  for (let i = 0; i < 100; i += 1) {
    desk.report(aReceipt());
    await time.advance(5);
  }
  await time.advance(50);
  expect(sent).toEqual([]);
  outlet.mustWaitMs = 0;
  await time.advance(200);
  expect(sent.map((receipts) => receipts.length)).toEqual([64, 36]);
});

test('a break loses nothing: the next session gets all that has no answer', async () => {
  const { time, sent, desk, outlet } = aDesk();
  const [first, second] = [aReceipt(), aReceipt()];
  desk.report(first);
  await time.advance(20);
  outlet.isConnected = false;
  desk.report(second);
  await time.advance(20_000);
  outlet.isConnected = true;
  desk.resendAll();
  expect(sent).toEqual([[first.text], [first.text, second.text]]);
});

test('a disk that refuses delays receipts and loses none', async () => {
  const { time, outbox, log, sent, desk } = aDesk();
  outbox.isFull = true;
  desk.report(aReceipt());
  await time.advance(3_000);
  expect(sent).toEqual([]);
  expect(log.messages).toContain('receipts not saved');
  expect(desk.leases()).toHaveLength(1);
  outbox.isFull = false;
  await time.advance(1_100);
  expect(sent).toHaveLength(1);
});

test.each([
  ['stored', 'info', 'receipt acknowledged'],
  ['duplicate', 'info', 'receipt acknowledged'],
  ['stale', 'warn', 'receipt stale'],
  ['refused', 'error', 'receipt refused'],
] as const)('the answer "%s" is logged and is the last word', async (status, level, message) => {
  const { time, outbox, log, desk } = aDesk();
  const { attemptId } = aReceipt();
  desk.report({ ...aReceipt(), attemptId });
  await time.advance(20);
  desk.acknowledged([{ attemptId, status }]);
  await time.advance(20);
  expect(desk.size).toBe(0);
  expect(await outbox.open()).toEqual([]);
  expect(log.lines).toEqual([{ level, message, fields: { attemptId, status } }]);
});

test('everything reported is on disk once it is said to be', async () => {
  const { time, outbox, desk } = aDesk();
  desk.report(aReceipt());
  desk.report(aReceipt());
  let isSaved = false;
  void desk.saved().then(() => {
    isSaved = true;
  });
  await time.advance(9);
  expect(isSaved).toBe(false);
  await time.advance(2);
  expect(isSaved).toBe(true);
  expect(await outbox.open()).toHaveLength(2);
});
