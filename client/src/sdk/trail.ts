import { type Api, bodyOf } from './api.js';
import { linesOf } from './lines.js';
import type { Transport } from './transport.js';
import type {
  Checkpoint,
  ConsistencyProof,
  Cosignature,
  Decision,
  DecisionInputs,
  InclusionProof,
  TrailEvent,
  WitnessedCheckpoint,
} from './types.js';

/** The decision trail: every digested event, its signed checkpoints and their proofs. Public but for single decisions. */
export class Trail {
  constructor(
    private readonly api: Api,
    private readonly transport: Transport,
    private readonly baseUrl: string,
  ) {}

  /** Events in order of place, from one place on, as far as the trail goes now. */
  async *events(from = 0): AsyncGenerator<TrailEvent> {
    let next = from;
    for (;;) {
      const query = { from: next, limit: 1000 };
      const page = bodyOf(await this.api.GET('/v1/trail', { params: { query } }));
      yield* page.items;
      const last = page.items.at(-1)?.place;
      if (last === undefined || last === null || page.nextCursor === null) return;
      next = last + 1;
    }
  }

  /** The whole trail as lines of JSON, from a place on, as fast as they are read. A broken connection is an error; go on from there. */
  lines(from = 0): AsyncGenerator<string> {
    return linesOf(this.transport, `${this.baseUrl}/v1/trail/export?from=${from}`);
  }

  async event(place: number): Promise<TrailEvent> {
    return bodyOf(await this.api.GET('/v1/trail/events/{place}', { params: { path: { place } } }));
  }

  /** The newest signed checkpoint, or the one of a size. */
  async checkpoint(size?: number): Promise<Checkpoint> {
    const query = size === undefined ? {} : { size };
    return bodyOf(await this.api.GET('/v1/trail/checkpoint', { params: { query } }));
  }

  /** Signed checkpoints below a size, newest first, and who witnessed them; or those that one witness signed. */
  async checkpoints(
    query: { readonly before?: number; readonly witness?: string; readonly limit?: number } = {},
  ): Promise<WitnessedCheckpoint[]> {
    return bodyOf(await this.api.GET('/v1/trail/checkpoints', { params: { query } })).items;
  }

  /** Hands in what a witness signed of a checkpoint. */
  async witness(signed: Cosignature): Promise<WitnessedCheckpoint> {
    return bodyOf(await this.api.POST('/v1/trail/witnesses', { body: signed }));
  }

  /** That the event at a place is in the tree of a size. */
  async inclusion(place: number, size: number): Promise<InclusionProof> {
    const query = { place, size };
    return bodyOf(await this.api.GET('/v1/trail/proof/inclusion', { params: { query } }));
  }

  /** That the tree of size `to` continues the one of size `from`. */
  async consistency(from: number, to: number): Promise<ConsistencyProof> {
    const query = { from, to };
    return bodyOf(await this.api.GET('/v1/trail/proof/consistency', { params: { query } }));
  }

  /** Why a task went to its worker. */
  async decision(id: string): Promise<Decision> {
    return bodyOf(await this.api.GET('/v1/decisions/{id}', { params: { path: { id } } }));
  }

  /** What a decision was taken on; kept for 30 days. */
  async decisionInputs(id: string): Promise<DecisionInputs> {
    const path = { id };
    return bodyOf(await this.api.GET('/v1/decisions/{id}/inputs', { params: { path } }));
  }
}
