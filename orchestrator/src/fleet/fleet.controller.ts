import { Controller } from '@nestjs/common';
import { WorkerId, type WorkerView } from '@tidemill/protocol';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { ProblemError } from '../platform/http/problem.js';
import { FleetService } from './fleet.service.js';

@Controller()
export class FleetController {
  constructor(private readonly fleet: FleetService) {}

  @Operation('listWorkers')
  async list(@Input() { query }: InputOf<'listWorkers'>) {
    if (query.cursor !== undefined && !WorkerId.safeParse(query.cursor).success) {
      throw new ProblemError('CURSOR_INVALID', 'The cursor is not a page of this list.');
    }
    const items = await this.fleet.list(query.state ?? null, query.cursor ?? null, query.limit);
    return { items, nextCursor: items.length < query.limit ? null : (items.at(-1)?.id ?? null) };
  }

  @Operation('getWorker')
  get(@Input() { params }: InputOf<'getWorker'>): Promise<WorkerView> {
    return this.fleet.one(params.id);
  }

  @Operation('drainWorker')
  async drain(@Input() { params }: InputOf<'drainWorker'>): Promise<WorkerView> {
    await this.fleet.drain(params.id);
    return this.fleet.one(params.id);
  }
}
