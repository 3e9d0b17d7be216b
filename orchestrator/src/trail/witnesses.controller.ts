import { Controller, Res } from '@nestjs/common';
import type { WitnessedCheckpointView } from '@tidemill/protocol';
import type { Response } from 'express';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { TrailExport } from './trail-export.js';
import { Witnesses } from './witnesses.js';

/** The trail for those who keep a copy of it, or watch it: public as well. */
@Controller()
export class WitnessesController {
  constructor(
    private readonly exporting: TrailExport,
    private readonly witnesses: Witnesses,
  ) {}

  @Operation('exportTrail')
  export(@Input() { query }: InputOf<'exportTrail'>, @Res() response: Response): Promise<void> {
    return this.exporting.send(query.from, response);
  }

  @Operation('listCheckpoints')
  async checkpoints(@Input() { query }: InputOf<'listCheckpoints'>) {
    const { before = null, limit, witness = null } = query;
    const items = await this.witnesses.list(before, limit, witness);
    const last = items.at(-1);
    const isLast = items.length < limit || last === undefined;
    return { items, nextCursor: isLast ? null : String(last.size) };
  }

  @Operation('addWitness')
  witness(@Input() { body }: InputOf<'addWitness'>): Promise<WitnessedCheckpointView> {
    return this.witnesses.add(body);
  }
}
