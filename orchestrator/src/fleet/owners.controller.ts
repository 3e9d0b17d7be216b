import { Controller } from '@nestjs/common';
import type { EarningsView, MarketView, WorkerOwnerView } from '@tidemill/protocol';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { MarketService } from './market.service.js';
import { OwnersService } from './owners.service.js';

@Controller()
export class OwnersController {
  constructor(
    private readonly owners: OwnersService,
    private readonly prices: MarketService,
  ) {}

  @Operation('orderWorker')
  order(@Input() { params, body }: InputOf<'orderWorker'>): Promise<WorkerOwnerView> {
    return this.owners.obey(params.id, body);
  }

  @Operation('getWorkerEarnings')
  earnings(@Input() { params, query }: InputOf<'getWorkerEarnings'>): Promise<EarningsView> {
    return this.prices.earnings(params.id, query);
  }

  @Operation('getMarket')
  market(): Promise<MarketView> {
    return this.prices.market();
  }
}
