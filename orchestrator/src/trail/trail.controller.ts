import { Controller } from '@nestjs/common';
import type {
  CheckpointView,
  ConsistencyProofView,
  InclusionProofView,
  TrailEventView,
} from '@tidemill/protocol';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { ProblemError } from '../platform/http/problem.js';
import { TrailReader } from './trail.reader.js';

/** The trail over HTTP: public, so that anybody can check it. */
@Controller()
export class TrailController {
  constructor(private readonly reader: TrailReader) {}

  @Operation('listTrail')
  async list(
    @Input() { query }: InputOf<'listTrail'>,
  ): Promise<{ items: TrailEventView[]; nextCursor: string | null }> {
    const { to, kind, subject } = query;
    if (to !== undefined || kind !== undefined || subject !== undefined) {
      const { items, next } = await this.reader.search(query);
      return { items, nextCursor: next === null ? null : String(next) };
    }
    const items = await this.reader.list(query.from, query.limit + 1);
    const more = items.length > query.limit;
    return {
      items: items.slice(0, query.limit),
      nextCursor: more ? String(query.from + query.limit) : null,
    };
  }

  @Operation('getTrailEvent')
  async event(@Input() { params }: InputOf<'getTrailEvent'>): Promise<TrailEventView> {
    return found(await this.reader.event(params.place), `place ${params.place} is not given yet`);
  }

  @Operation('getCheckpoint')
  async checkpoint(@Input() { query }: InputOf<'getCheckpoint'>): Promise<CheckpointView> {
    const which =
      query.size === undefined
        ? 'no checkpoint was signed yet'
        : `no checkpoint of size ${query.size} was signed`;
    return found(await this.reader.checkpoint(query.size), which);
  }

  @Operation('getInclusionProof')
  async inclusion(@Input() { query }: InputOf<'getInclusionProof'>): Promise<InclusionProofView> {
    const proof = await this.reader.inclusion(query.place, query.size);
    return found(
      proof,
      `place ${query.place} is not in a tree of ${query.size} events, or the trail is shorter`,
    );
  }

  @Operation('getConsistencyProof')
  async consistency(
    @Input() { query }: InputOf<'getConsistencyProof'>,
  ): Promise<ConsistencyProofView> {
    const proof = await this.reader.consistency(query.from, query.to);
    return found(
      proof,
      `a trail of ${query.to} events does not continue one of ${query.from}, or the trail is shorter`,
    );
  }
}

function found<T>(view: T | null, otherwise: string): T {
  if (view === null) throw new ProblemError('NOT_FOUND', otherwise);
  return view;
}
