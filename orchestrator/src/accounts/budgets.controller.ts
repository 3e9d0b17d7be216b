import { Controller } from '@nestjs/common';
import type { BudgetView } from '@tidemill/protocol';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { BudgetsService } from './budgets.service.js';

@Controller()
export class BudgetsController {
  constructor(private readonly budgets: BudgetsService) {}

  @Operation('getBudget')
  get(@Input() { caller }: InputOf<'getBudget'>): Promise<BudgetView> {
    return this.budgets.ofAccount(accountOf(caller).accountId);
  }

  @Operation('setBudget')
  set(@Input() { caller, body }: InputOf<'setBudget'>): Promise<BudgetView> {
    return this.budgets.set(accountOf(caller), null, body);
  }

  @Operation('getKeyBudget')
  ofKey(@Input() { caller, params }: InputOf<'getKeyBudget'>): Promise<BudgetView> {
    return this.budgets.ofKey(accountOf(caller).accountId, params.id);
  }

  @Operation('setKeyBudget')
  setOfKey(@Input() { caller, params, body }: InputOf<'setKeyBudget'>): Promise<BudgetView> {
    return this.budgets.set(accountOf(caller), params.id, body);
  }
}
