import { Injectable } from '@nestjs/common';
import { fromJsonTexts, jsonTexts, type Tx } from '../platform/db/db.js';
import { TrailWriter, type TrailRows } from './trail.writer.js';

@Injectable()
export class PgTrailWriter extends TrailWriter {
  protected async insert(
    tx: Tx,
    { atMs, kinds, subjects, bodies, digests }: TrailRows,
  ): Promise<void> {
    await tx.query(INSERT, [atMs, kinds, subjects, jsonTexts(bodies), digests]);
  }
}

const INSERT = `
INSERT INTO trail_events (at_ms, kind, subject, body, digest)
SELECT $1, kind, subject, body, digest
FROM unnest($2::text[], $3::text[], ${fromJsonTexts('$4')}, $5::bytea[]) AS event (kind, subject, body, digest)`;
