import { Controller } from '@nestjs/common';
import type { DecisionInputsView, PlanView } from '@tidemill/protocol';
import { accountOf } from '../platform/http/caller.js';
import { Input, Operation, type InputOf } from '../platform/http/operation.js';
import { DecisionInputs } from './decision-inputs.js';
import { PlanService } from './plan.service.js';

@Controller()
export class SchedulingController {
  constructor(
    private readonly plans: PlanService,
    private readonly inputs: DecisionInputs,
  ) {}

  @Operation('planJob')
  plan(@Input() { caller, body }: InputOf<'planJob'>): Promise<PlanView> {
    return this.plans.plan(accountOf(caller).accountId, body);
  }

  @Operation('getDecision')
  decision(@Input() { caller, params }: InputOf<'getDecision'>) {
    return this.plans.decision(accountOf(caller).accountId, params.id);
  }

  @Operation('getDecisionInputs')
  decisionInputs(
    @Input() { caller, params }: InputOf<'getDecisionInputs'>,
  ): Promise<DecisionInputsView> {
    return this.inputs.of(accountOf(caller).accountId, params.id);
  }
}
