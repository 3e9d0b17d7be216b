import { Controller } from '@nestjs/common';
import type { WorkerView } from '@tidemill/protocol';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import type { Page } from '../platform/http/page.js';
import { FleetService } from './fleet.service.js';

@Controller()
export class FleetController {
  constructor(private readonly fleet: FleetService) {}

  @Operation('listWorkers')
  list(@Input() { query }: InputOf<'listWorkers'>): Promise<Page<WorkerView>> {
    return this.fleet.list(query);
  }

  @Operation('getWorker')
  get(@Input() { params }: InputOf<'getWorker'>): Promise<WorkerView> {
    return this.fleet.one(params.id);
  }

  @Operation('suspendWorker')
  async suspend(@Input() { params }: InputOf<'suspendWorker'>): Promise<WorkerView> {
    await this.fleet.suspend(params.id, true);
    return this.fleet.one(params.id);
  }

  @Operation('resumeWorker')
  async resume(@Input() { params }: InputOf<'resumeWorker'>): Promise<WorkerView> {
    await this.fleet.suspend(params.id, false);
    return this.fleet.one(params.id);
  }

  @Operation('drainWorker')
  async drain(@Input() { params }: InputOf<'drainWorker'>): Promise<WorkerView> {
    await this.fleet.drain(params.id);
    return this.fleet.one(params.id);
  }
}
