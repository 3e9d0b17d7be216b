import {
  decodeBase58,
  encodeBase58,
  orderSigningBytes,
  receiptHash,
  receiptsSigningBytes,
  receiptText,
  RECEIPT_TTL_MS,
  type AttemptId,
  type FromOrchestrator,
  type FromWorker,
  type Offer,
  type Receipt,
  type ReceiptAck,
  type WorkerId,
  type WorkerProfile,
} from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { IntakeService } from '../artifacts/intake.service.js';
import { digestOf } from '../artifacts/testing/artifact-calls.js';
import { Config } from '../config/env.js';
import { FleetService } from '../fleet/fleet.service.js';
import { OwnersService } from '../fleet/owners.service.js';
import { Inbound } from '../gateway/inbound.js';
import { Session } from '../gateway/session.js';
import { Sessions } from '../gateway/sessions.js';
import type { StageHost } from '../identity/testing/stage-host.js';
import { Ids } from '../platform/ids.js';
import { eventually } from './eventually.js';

type WithoutSession<T> = T extends { session: unknown; seq: unknown }
  ? Omit<T, 'session' | 'seq'>
  : never;

const RUNTIME_CLASS = 'noop/1';
const HOUR_OF_TEN_UNITS_A_MS = '36000000';

/** A worker with room for everything; `pool` keeps it to the jobs that name it as their GPU model. */
export function profileOf(pool: string, change: Partial<WorkerProfile> = {}): WorkerProfile {
  return {
    name: pool,
    capabilities: {
      runtimes: [{ name: 'noop', class: RUNTIME_CLASS }],
      isolation: 'process',
      gpuModel: pool,
      region: 'local',
      os: 'linux',
      agent: 'tidemill-test',
    },
    resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 64_000, memoryMib: 65_536, diskMib: 65_536 },
    slots: 64,
    asks: { gpuHour: '0', cpuHour: HOUR_OF_TEN_UNITS_A_MS },
    ...change,
  };
}

/** A worker in a session without a socket: what it says goes in behind the gateway's door, what it is told is kept in `inbox`. */
export class StageWorker {
  readonly inbox: FromOrchestrator[] = [];
  /** The codes its socket was closed with. */
  readonly closes: number[] = [];
  private seq = 0;

  private constructor(
    private readonly host: StageHost,
    private readonly profile: WorkerProfile,
    private readonly key: KeyObject,
    readonly id: WorkerId,
    readonly session: Session,
  ) {}

  /** Joins the network. Its term never ends unless a test ends it. */
  static join(
    host: StageHost,
    pool: string,
    change: Partial<WorkerProfile> = {},
  ): Promise<StageWorker> {
    return StageWorker.logIn(
      host,
      profileOf(pool, change),
      generateKeyPairSync('ed25519').privateKey,
    );
  }

  /** Logs in again with the same key, in a new session. */
  rejoin(): Promise<StageWorker> {
    this.host.app.get(Sessions).unbind(this.session);
    return StageWorker.logIn(this.host, this.profile, this.key);
  }

  private static async logIn(
    host: StageHost,
    profile: WorkerProfile,
    key: KeyObject,
  ): Promise<StageWorker> {
    const address = addressOf(key);
    const sessionId = host.app.get(Ids).make('session');
    const { id } = await host.app.get(FleetService).join(address, sessionId, profile);
    await host.db.query(`UPDATE workers SET lease_until = 'infinity' WHERE id = $1`, [id]);
    const said: { worker?: StageWorker } = {};
    const socket = {
      readyState: 1,
      OPEN: 1,
      bufferedAmount: 0,
      send: (frame: string) => said.worker?.inbox.push(JSON.parse(frame) as FromOrchestrator),
      close: (code: number) => said.worker?.closes.push(code),
      terminate: () => undefined,
    };
    const session = new Session(sessionId, socket as unknown as Session['socket'], '', 0); // the part of a socket that sessions use
    session.publicKey = decodeBase58(address);
    session.renewedMs = Infinity;
    said.worker = new StageWorker(host, profile, key, id, session);
    host.app.get(Sessions).bind(id, session);
    return said.worker;
  }

  /** Its owner puts another key in the place of its own. */
  async changeKey(): Promise<void> {
    const next = generateKeyPairSync('ed25519').privateKey;
    const { network, audience } = this.host.app.get(Config);
    const order = JSON.stringify({
      order: 'key',
      network,
      audience,
      workerId: this.id,
      issuedAtMs: this.host.clock.nowMs(),
      publicKey: addressOf(next),
    });
    const by = (key: KeyObject) => encodeBase58(sign(null, orderSigningBytes(order), key)) as never; // of the form of one
    await this.host.app
      .get(OwnersService)
      .obey(this.id, { order, signature: by(this.key), newSignature: by(next) });
  }

  /** Gets no more offers. */
  async leave(): Promise<void> {
    this.host.app.get(Sessions).unbind(this.session);
    await this.host.db.query(
      `UPDATE workers SET state = 'draining', revision = revision + 1 WHERE id = $1`,
      [this.id],
    );
  }

  say(message: WithoutSession<FromWorker>): Promise<void> {
    this.seq += 1;
    const whole = { ...message, session: this.session.id, seq: this.seq };
    return this.host.app.get(Inbound).handle(this.session, this.id, whole);
  }

  /** The next offer of a lease. */
  async offer(): Promise<Offer> {
    let found: Offer | undefined;
    await eventually('no offer came', () => {
      for (const frame of this.inbox) {
        if (frame.type !== 'offer') continue;
        found = frame.offers.shift();
        if (found !== undefined) return true;
      }
      return false;
    });
    if (found === undefined) throw new Error('no offer came');
    return found;
  }

  /** The next offer, taken. */
  async begin(): Promise<Offer> {
    const offer = await this.offer();
    const { attemptId, fence } = offer;
    await this.say({ type: 'accept', leases: [{ attemptId, fence }] });
    return offer;
  }

  /** Stores bytes as its own. */
  async store(text: string): Promise<Receipt['outputs'][number]> {
    const bytes = Buffer.from(text);
    const digest = digestOf(bytes);
    const intake = this.host.app.get(IntakeService);
    await intake.put({ kind: 'worker', id: this.id }, digest, oneChunk(bytes));
    return { name: 'answer', digest, sizeBytes: bytes.length };
  }

  /** What an honest worker would say, but for `says`. */
  receipt(offer: Offer, says: Partial<Receipt> = {}): Receipt {
    const { network, audience } = this.host.app.get(Config);
    const nowMs = this.host.clock.nowMs();
    return {
      network,
      audience,
      workerId: this.id,
      jobId: offer.jobId,
      taskId: offer.taskId,
      attemptId: offer.attemptId,
      fence: offer.fence,
      taskDigest: digestOf(Buffer.from(offer.payload)),
      runtimeClass: RUNTIME_CLASS,
      outcome: 'succeeded',
      failure: null,
      outputs: [],
      commitment: null,
      metrics: {},
      usage: { billableMs: 5, cpuMs: 0, maxRssMib: 1 },
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + RECEIPT_TTL_MS,
      ...says,
    };
  }

  /** Reports an attempt and gives what is answered. */
  report(offer: Offer, says: Partial<Receipt> = {}): Promise<ReceiptAck> {
    return this.send([this.receipt(offer, says)], offer.attemptId);
  }

  /** Signs and sends receipts as one batch; gives what is answered about one attempt. */
  async send(receipts: readonly Receipt[], attemptId: AttemptId): Promise<ReceiptAck> {
    const texts = receipts.map(receiptText);
    const hashes = texts.map((text) => receiptHash(text, nodeSha256));
    const signature = sign(null, receiptsSigningBytes(hashes, nodeSha256), this.key);
    await this.say({ type: 'receipts', receipts: texts, signature: encodeBase58(signature) });
    for (const frame of [...this.inbox].reverse()) {
      if (frame.type !== 'receipts.ack') continue;
      const ack = frame.receipts.find((one) => one.attemptId === attemptId);
      if (ack !== undefined) return ack;
    }
    throw new Error(`nothing was said of ${attemptId}`);
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** The public half of a key, in base58. */
function addressOf(key: KeyObject): string {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return encodeBase58(spki.subarray(-32));
}
