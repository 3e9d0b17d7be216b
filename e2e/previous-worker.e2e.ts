import { readFileSync } from 'node:fs';
import {
  CLOSE,
  encodeBase58,
  loginText,
  type Offer,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  utf8ToBytes,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NETWORK, type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { honestReceipt } from './harness/receipts.js';
import { freshSigner } from './harness/signer.js';
import { noopJob, submitter } from './harness/submitter.js';
import { loginFor, WorkerSocket } from './harness/worker-socket.js';
import { profileOf } from './harness/scripted-worker.js';

// The frames of the protocol version before this one are kept as data; nothing here makes them from the schemas of today.

interface Frame {
  readonly type: string;
}
const { frames } = JSON.parse(
  readFileSync(new URL('../protocol/vectors/worker-v1.json', import.meta.url), 'utf8'),
) as { frames: Frame[] };

let orchestrator: Orchestrator;
beforeAll(async () => {
  orchestrator = await startOrchestrator();
});
afterAll(async () => expect(await orchestrator.stop()).toEqual([]));

/** The text of a kept frame with what differs from run to run filled in. */
function filled(type: string, values: Readonly<Record<string, string | number>>): string {
  const frame = frames.find((one) => one.type === type);
  if (frame === undefined) throw new Error(`no frame ${type} is kept`);
  return JSON.stringify(frame).replaceAll(/"<([a-zA-Z]+)>"/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${type} needs ${name}`);
    return JSON.stringify(value);
  });
}

test('a worker of the version before joins, works and has its result accepted, frame by frame', async () => {
  const signer = freshSigner();
  const socket = await WorkerSocket.open(orchestrator);
  const { versions, audience, network, nonce, issuedAt, expiresAt } =
    await socket.take('challenge');
  expect(versions).toContain(1);
  const publicKey = signer.address;
  const who = { purpose: 'worker', audience, network, publicKey, nonce } as const;
  const text = loginText({ ...who, issuedAt, expiresAt });
  const signature = encodeBase58(signer.sign(utf8ToBytes(text)));
  socket.socket.send(filled('login', { publicKey, nonce, signature }));
  const welcome = await socket.take('welcome');
  expect(welcome.version).toBe(1);

  let seq = 0;
  const say = (type: string, values: Readonly<Record<string, string | number>> = {}) => {
    seq += 1;
    socket.socket.send(filled(type, { session: welcome.session, seq, ...values }));
  };
  say('profile');
  const owner = await submitter(orchestrator);
  const { id } = await owner.submit(noopJob(null));
  const { offers } = await socket.take('offer');
  const [offer] = offers as [Offer];
  const { attemptId } = offer;
  say('accept', { attemptId });
  expect(await socket.take('active')).toMatchObject({ attempts: [attemptId], gone: [] });
  say('heartbeat', { attemptId });
  await socket.take('heartbeat.ack');
  say('progress', { attemptId });
  say('logs', { attemptId });
  const by = { network: NETWORK, audience, workerId: welcome.workerId };
  const receipt = receiptText(honestReceipt(offer, by, 20));
  const root = receiptHash(receipt, nodeSha256);
  const signed = encodeBase58(signer.sign(receiptsSigningBytes([root], nodeSha256)));
  say('receipts', { receipt, receiptSignature: signed });
  const { receipts } = await socket.take('receipts.ack');
  expect(receipts).toEqual([{ attemptId, status: 'stored' }]);
  expect((await owner.over(id)).state).toBe('succeeded');
  say('drain');
  say('refuse', { attemptId });
  say('heartbeat', { attemptId });
  await socket.take('heartbeat.ack');
  socket.drop();
});

test('a worker that speaks none of the two versions is refused and told what to do', async () => {
  const socket = await WorkerSocket.open(orchestrator);
  const challenge = await socket.take('challenge');
  const says = { profile: profileOf('old'), holding: [] };
  socket.send({ ...loginFor(challenge, freshSigner(), says), versions: [99] });
  expect(await socket.closed).toMatchObject({
    code: CLOSE.versionMismatch.code,
    reason: expect.stringMatching(/^VERSION_MISMATCH: spoken here 2, 1; /),
  });
});
