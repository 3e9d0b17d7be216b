import {
  type ChainEvidence,
  type CosignerMemory,
  type CosignerTrust,
  recompute,
  statementHash,
  TrailReading,
  type EpochEvidence,
} from '@tidemill/core/cosigner';
import {
  encodeBase58,
  epochObjectionBytes,
  type PlacedEvent,
  type RootStatement,
  rootStatementBytes,
} from '@tidemill/protocol';
import { nodeSha256, nodeVerifier, type Signer } from '@tidemill/protocol/node';

/** An epoch as the orchestrator shows it. */
export interface ShownEpoch {
  readonly number: bigint;
  readonly statement: RootStatement;
  /** Whether signatures are still asked for. */
  readonly isSealed: boolean;
  /** Keys that have attested or objected, in base58. */
  readonly spoken: readonly string[];
}

/** What a co-signer asks of the orchestrator. Nothing that it answers is believed. */
export interface Orchestrator {
  /** Epochs after a number that have a statement, the oldest first; voided ones too. */
  epochsAfter(epoch: bigint): Promise<readonly ShownEpoch[]>;
  /** The epoch with a number, if it has a statement. */
  epoch(number: bigint): Promise<ShownEpoch | null>;
  evidence(epoch: ShownEpoch, memory: CosignerMemory): Promise<EpochEvidence>;
  /** Events from a place on. */
  events(from: number): AsyncIterable<PlacedEvent>;
  attest(epoch: bigint, signature: string): Promise<void>;
  object(epoch: bigint, reason: string, signature: string): Promise<void>;
}

/** What a turn came to, for the log. */
export type CosignerTurn =
  | { readonly kind: 'idle' }
  | { readonly kind: 'waiting'; readonly epoch: bigint; readonly why: string }
  | { readonly kind: 'learnt' | 'attested'; readonly epoch: bigint }
  | { readonly kind: 'objected'; readonly epoch: bigint; readonly reason: string };

/** Where the memory is kept. */
export interface Memory {
  load(): Promise<CosignerMemory>;
  keep(memory: CosignerMemory): Promise<void>;
}

const CRYPTO = { sha256: nodeSha256, verify: nodeVerifier() };
/** Events looked at behind a statement's part of the trail: those of the moments in which it was sealed. */
const MOST_BEHIND = 5_000;
/** Longest reason that the orchestrator takes. */
const MAX_REASON = 1_000;

/** Works out each epoch anew, in order, and attests those that are sealed and right. */
export class Cosigner {
  constructor(
    private readonly trust: CosignerTrust,
    private readonly signer: Signer,
    private readonly memory: Memory,
    private readonly orchestrator: Orchestrator,
    private readonly chain: (workers: number) => Promise<ChainEvidence>,
  ) {}

  /** One turn: at most one epoch. @throws what the orchestrator, the chain or the disk throw; the next turn tries again */
  async turn(): Promise<CosignerTurn> {
    const memory = await this.memory.load();
    const again = await this.sayAgain(memory);
    if (again !== null) return again;
    const [next] = await this.orchestrator.epochsAfter(memory.epoch);
    if (next === undefined) return { kind: 'idle' };
    return this.judge(memory, next);
  }

  private async judge(memory: CosignerMemory, next: ShownEpoch): Promise<CosignerTurn> {
    const { statement, number } = next;
    if (next.isSealed && next.spoken.includes(this.signer.address))
      return { kind: 'waiting', epoch: number, why: 'its objection stands' };
    const chain = await this.chain(2 ** statement.workerDepth);
    if (statement.sealedSlot > chain.slot)
      return { kind: 'waiting', epoch: number, why: 'its node has not seen the slot yet' };
    const result = recompute(
      {
        memory,
        evidence: await this.orchestrator.evidence(next, memory),
        ...(await this.read(memory, statement)),
        chain,
        trust: this.trust,
      },
      CRYPTO,
    );
    if (!result.ok) {
      const { code, detail } = result.objection;
      const reason = `${code}: ${detail}`.slice(0, MAX_REASON);
      // Nobody asks any more; but what comes after it cannot be checked either.
      if (!next.isSealed) return { kind: 'waiting', epoch: number, why: reason };
      return this.object(next, reason);
    }
    await this.memory.keep(result.memory);
    if (!next.isSealed) return { kind: 'learnt', epoch: number };
    return this.attest(next);
  }

  /** Says again what was kept but perhaps did not arrive; to another statement of that epoch it says nothing, ever. */
  private async sayAgain(memory: CosignerMemory): Promise<CosignerTurn | null> {
    if (memory.epoch === 0n) return null;
    const last = await this.orchestrator.epoch(memory.epoch);
    if (last?.isSealed !== true || last.spoken.includes(this.signer.address)) return null;
    return memory.signed.get(String(last.number)) === statementHash(last.statement, nodeSha256)
      ? this.attest(last)
      : this.object(last, 'TWO_STATEMENTS: another statement of this epoch was signed before');
  }

  /** The trail as far as the statement says, and what is refunded right behind it. */
  private async read(memory: CosignerMemory, { trailSize }: RootStatement) {
    const trail = new TrailReading(memory.trail, this.trust.name, CRYPTO);
    const refundedSince = new Set<string>();
    let behind = 0;
    for await (const event of this.orchestrator.events(trail.size)) {
      if (BigInt(trail.size) < trailSize) trail.add(event);
      else if (event.kind === 'ledger.refunded') refundedSince.add(event.subject);
      if (BigInt(trail.size) >= trailSize) behind += 1;
      if (trail.objection !== null || behind > MOST_BEHIND) break;
    }
    return { trail, refundedSince };
  }

  private async attest({ number, statement }: ShownEpoch): Promise<CosignerTurn> {
    const signature = this.signer.sign(rootStatementBytes(statement));
    await this.orchestrator.attest(number, encodeBase58(signature));
    return { kind: 'attested', epoch: number };
  }

  private async object({ number, statement }: ShownEpoch, reason: string): Promise<CosignerTurn> {
    const signature = this.signer.sign(epochObjectionBytes(statement, reason));
    await this.orchestrator.object(number, reason, encodeBase58(signature));
    return { kind: 'objected', epoch: number, reason };
  }
}
