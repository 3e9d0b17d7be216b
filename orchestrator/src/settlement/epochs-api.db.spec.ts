import {
  decodeBase58,
  encodeBase58,
  epochObjectionBytes,
  hexToBytes,
  isSoundPublicKey,
  releasedTotalBytes,
  rootStatementBytes,
  rootStatementFrom,
  verifyReceipt,
  receiptHash,
  type EpochChargeLine,
  type RootStatement,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { generateKeyPairSync, sign } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login, type Wallet } from '../identity/testing/wallet.js';
import { noopJob, startNetwork, StageSubmitter } from '../testing/network.js';
import { StageWorker } from '../testing/stage-worker.js';
import { eventually } from '../testing/eventually.js';
import { JoiningService } from './joining.service.js';
import { withChain } from './testing/settled-rows.js';

/** A wallet that also signs bytes. */
function aCosigner(): Wallet & { signBytes(bytes: Uint8Array): string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const address = encodeBase58(publicKey.export({ format: 'der', type: 'spki' }).subarray(-32));
  return {
    address,
    sign: (text) => sign(null, Buffer.from(text), privateKey),
    signBytes: (bytes) => encodeBase58(sign(null, bytes, privateKey)),
  };
}

/** What each execution takes, at one unit a millisecond. */
const MS = 40;
const SPENT = String(3 * MS);

const [first, second] = [aCosigner(), aCosigner()];
const admin = aWallet();
let host: StageHost;
let alice: StageSubmitter;
let worker: StageWorker;
let statement: RootStatement;

beforeAll(async () => {
  const { env, overrides } = withChain([first.address, second.address]);
  host = await startNetwork({
    env: { ...env, TIDEMILL_PAYOUT_FLOOR: '1' },
    overrides,
    admins: [admin.address],
  });
  alice = await StageSubmitter.with(host);
  worker = await StageWorker.join(host, 'epochs');
  // One job whose charge takes the rest of its hold along, and one whose hold goes back when it is over.
  const once = await alice.submit(noopJob('epochs'));
  await work(worker);
  await alice.over(once);
  const other = await StageWorker.join(host, 'epochs');
  const twice = await alice.submit(noopJob('epochs', { verify: { replicate: 2 } }));
  await Promise.all([work(worker), work(other)]);
  await alice.over(twice);
  await eventually('not all charges are settled', async () => {
    const rows = await host.db.query('SELECT FROM charges WHERE settled');
    return rows.length === 3;
  });
});
afterAll(() => host.stop());

/** Takes one task and does it. */
async function work(one: StageWorker): Promise<void> {
  const offer = await one.begin();
  // The network writes a lease down as active a moment after it is taken, and counts from there.
  await sleep(MS + 60);
  await one.report(offer, { usage: { billableMs: MS, cpuMs: 0, maxRssMib: 1 } });
}

async function lines(path: string, token?: string): Promise<{ status: number; items: unknown[] }> {
  const response = await fetch(`${host.url}${path}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  const items = response.ok ? text.split('\n').flatMap((one): unknown[] => (one === '' ? [] : [JSON.parse(one)])) : []; // prettier-ignore
  return { status: response.status, items };
}

test('an operator seals what has joined, and anybody sees it', async () => {
  const { token } = await login(host, admin);
  await host.app.get(JoiningService).turn();
  const seal = () => call(host, 'POST', '/v1/admin/epochs/seal', { token });
  let sealed = await seal();
  // Refused until the trail has all of it, signed.
  await eventually('the epoch was not sealed', async () => {
    host.clock.advance(1_000);
    if (sealed.status !== 200) sealed = await seal();
    return sealed.status === 200;
  });
  expect(sealed).toMatchObject({ status: 200, body: { number: 1, state: 'sealed', charges: 3 } });
  expect((await seal()).body.code).toBe('CONFLICT');
  const { body } = await call(host, 'GET', '/v1/epochs?state=sealed&state=final');
  expect(body.items).toEqual([sealed.body]);
  const page = await call(host, 'GET', '/v1/epochs?limit=1');
  expect(page.body.items).toMatchObject([{ number: 2, state: 'open', statement: null }]);
  const next = await call(host, 'GET', `/v1/epochs?limit=1&cursor=${page.body.nextCursor}`);
  expect(next.body).toMatchObject({ items: [{ number: 1 }], nextCursor: null });
  statement = rootStatementFrom(sealed.body.statement);
});

test('leaves and proofs are for everybody, charges with their receipts for co-signers alone', async () => {
  const workers = await lines('/v1/epochs/1/leaves?tree=workers');
  const submitters = await lines('/v1/epochs/1/leaves?tree=submitters');
  expect(workers.items.length).toBeGreaterThan(0);
  expect(submitters.items).toMatchObject([
    { index: 0, wallet: alice.wallet.address, spent: SPENT, refunded: '0' },
  ]);
  const proof = await call(host, 'GET', `/v1/epochs/1/submitters/${alice.wallet.address}`);
  expect(proof.body).toMatchObject({ spent: SPENT, path: [], root: Buffer.from(statement.submitterRoot).toString('hex') }); // prettier-ignore
  const none = await call(host, 'GET', `/v1/epochs/1/submitters/${admin.address}`);
  expect(none.body.code).toBe('NOT_FOUND');
  expect((await lines('/v1/epochs/2/leaves?tree=workers')).status).toBe(404);

  const charges = '/v1/epochs/1/charges';
  expect((await lines(charges)).status).toBe(401);
  expect((await lines(charges, (await login(host, alice.wallet)).token)).status).toBe(404);
  const { items } = await lines(charges, (await login(host, first)).token);
  expect(items).toHaveLength(3);
  for (const line of items as EpochChargeLine[]) {
    const { attempt: attemptId, worker: workerId, receipt } = line;
    if (receipt === null) throw new Error('no receipt');
    const hash = Buffer.from(receiptHash(receipt.text, nodeSha256)).toString('hex');
    const crypto = { sha256: nodeSha256, verify: nodeVerifier(), isSoundKey: isSoundPublicKey };
    expect(verifyReceipt({ attemptId, workerId, hash, ...receipt }, crypto)).toMatchObject({ ok: true }); // prettier-ignore
  }
});

test('the word of a co-signer counts once and only for what it signed', async () => {
  const attest = (cosigner: string, signature: string) =>
    call(host, 'POST', '/v1/epochs/1/attestations', { body: { cosigner, signature } });
  const stranger = aCosigner();
  const bytes = rootStatementBytes(statement);
  const forged = rootStatementBytes({ ...statement, sealedSlot: 9n });
  for (const [cosigner, signature] of [
    [stranger.address, stranger.signBytes(bytes)],
    [first.address, first.signBytes(forged)],
    [first.address, second.signBytes(bytes)],
  ] as const)
    expect((await attest(cosigner, signature)).body.code).toBe('COSIGNER_REFUSED');
  for (let time = 0; time < 2; time += 1) {
    const kept = await attest(first.address, first.signBytes(bytes));
    expect(kept).toMatchObject({ status: 201, body: { attestations: [{ cosigner: first.address }] } }); // prettier-ignore
  }
  const reason = 'HELD: more is held than there is';
  const objected = await call(host, 'POST', '/v1/epochs/1/objections', {
    body: {
      cosigner: second.address,
      reason,
      signature: second.signBytes(epochObjectionBytes(statement, reason)),
    },
  });
  expect(objected.body.objections).toMatchObject([{ cosigner: second.address, reason }]);
  const said = await host.db.query(
    `SELECT kind FROM trail_events WHERE kind IN ('epoch.sealed', 'epoch.attested', 'epoch.objected') AND subject = '1' ORDER BY xid`,
  );
  expect(said).toEqual([{ kind: 'epoch.sealed' }, { kind: 'epoch.attested' }, { kind: 'epoch.objected' }]); // prettier-ignore
});

test('what was released to a worker is signed, and its earnings say which epoch paid them', async () => {
  const { body } = await call(host, 'GET', `/v1/workers/${worker.id}/released`);
  const bytes = releasedTotalBytes({
    network: statement.network,
    program: statement.program,
    epoch: 1n,
    index: body.index,
    lifetimeEarned: BigInt(body.earned),
  });
  const [key, signature] = [decodeBase58(body.publicKey), decodeBase58(body.signature)];
  expect(nodeVerifier()(key ?? hexToBytes(''), bytes, signature ?? hexToBytes(''))).toBe(true);
  const earnings = await call(host, 'GET', `/v1/workers/${worker.id}/earnings`);
  expect(earnings.body.epochs).toMatchObject([{ epoch: 1, state: 'sealed', amount: body.earned }]);
});
