import { readFileSync } from 'node:fs';
import {
  bytesToHex,
  CLOSE,
  decodeBase58,
  decodeFromOrchestrator,
  decodeFromWorker,
  type FromOrchestrator,
  type FromWorker,
  loginText,
  Receipt,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  utf8ToBytes,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier } from '@tidemill/protocol/node';
import { expect, test } from 'vitest';
import { blocksOf } from './harness/fenced-blocks.js';

// Whoever writes a worker by docs/protocol.md copies its examples, so they are held to the schemas and to their signatures.

const page = readFileSync(new URL('../docs/protocol.md', import.meta.url), 'utf8');
const blocks = blocksOf(page);
const textsOf = (name: string) =>
  blocks.filter((one) => one.name === name).map(({ text }) => text.trimEnd());

const said = textsOf('worker').map((text) => ({ text, decoded: decodeFromWorker(text) }));
const heard = textsOf('orchestrator').map((text) => ({
  text,
  decoded: decodeFromOrchestrator(text),
}));
const verify = nodeVerifier();

function of<Type extends FromWorker['type']>(type: Type): Extract<FromWorker, { type: Type }> {
  for (const { decoded } of said)
    if (decoded.ok && decoded.message.type === type)
      return decoded.message as Extract<FromWorker, { type: Type }>; // The type was compared.
  throw new Error(`the page shows no ${type}`);
}

function from<Type extends FromOrchestrator['type']>(
  type: Type,
): Extract<FromOrchestrator, { type: Type }> {
  for (const { decoded } of heard)
    if (decoded.ok && decoded.message.type === type)
      return decoded.message as Extract<FromOrchestrator, { type: Type }>; // The type was compared.
  throw new Error(`the page shows no ${type}`);
}

test('every example is a frame as the schemas want it, member for member', () => {
  for (const { text, decoded } of [...said, ...heard]) {
    expect(decoded, text).toMatchObject({ ok: true });
    if (decoded.ok) expect(decoded.message).toEqual(JSON.parse(text));
  }
});

test('no kind of frame is left out', () => {
  const shown = (examples: typeof said | typeof heard) =>
    new Set(examples.flatMap(({ decoded }) => (decoded.ok ? [decoded.message.type] : [])));
  // Of a profile and of the orchestrator's drain the page says in words what they hold.
  expect([...shown(said)].sort()).toEqual(
    [
      ...['accept', 'checkpoint', 'drain', 'heartbeat', 'login', 'logs', 'progress'],
      ...['receipts', 'refuse'],
    ].sort(),
  );
  expect([...shown(heard)].sort()).toEqual(
    [
      ...['active', 'cancel', 'challenge', 'heartbeat.ack', 'offer', 'receipts.ack', 'welcome'],
    ].sort(),
  );
});

test('the text that is signed to log in is the one shown, and the signature fits it', () => {
  const { audience, network, nonce, issuedAt, expiresAt } = from('challenge');
  const { publicKey, signature } = of('login');
  const text = loginText({
    purpose: 'worker',
    audience,
    network,
    publicKey,
    nonce,
    issuedAt,
    expiresAt,
  });
  expect(textsOf('login')).toEqual([text]);
  expect(isSigned(publicKey, utf8ToBytes(text), signature)).toBe(true);
});

test('the receipt is canonical, has the hash that is named, and the signature fits it', () => {
  const { receipts, signature } = of('receipts');
  const [text = ''] = receipts;
  const receipt = Receipt.parse(JSON.parse(text));
  expect(receiptText(receipt)).toBe(text);
  const hash = receiptHash(text, nodeSha256);
  expect(page).toContain(`\`${bytesToHex(hash)}\``);
  expect(isSigned(of('login').publicKey, receiptsSigningBytes([hash], nodeSha256), signature)).toBe(
    true,
  );
  const [offer] = from('offer').offers;
  const taskDigest = `sha256:${bytesToHex(nodeSha256(utf8ToBytes(offer?.payload ?? '')))}`;
  expect(receipt).toMatchObject({ attemptId: offer?.attemptId, fence: offer?.fence, taskDigest });
});

test('every close code is explained', () => {
  for (const { code, reason } of Object.values(CLOSE)) {
    expect(page).toMatch(new RegExp(`\\| ${code} +\\| \`${reason}\` +\\|`));
  }
});

function isSigned(publicKey: string, message: Uint8Array, signature: string): boolean {
  const nothing = new Uint8Array();
  return verify(decodeBase58(publicKey) ?? nothing, message, decodeBase58(signature) ?? nothing);
}
