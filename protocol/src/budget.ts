import { z } from 'zod';
import { BaseUnits, Money } from './money.js';

/** How long a budget is for. Days and months are calendar ones in UTC; a total never renews. */
export const BUDGET_PERIODS = ['day', 'month', 'total'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

const limits = {
  limit: BaseUnits,
  used: BaseUnits.meta({
    description: 'Charged for jobs accepted in the period, and held for those that are open.',
  }),
  left: BaseUnits.meta({ description: 'Nothing where more is used than a later limit allows.' }),
  renewsAt: z.iso.datetime().nullable(),
};
const Budget = z.object(limits);

/** What an account, or a key with those that replaced it, may spend. */
export const BudgetView = z
  .object({
    day: Budget.nullable(),
    month: Budget.nullable(),
    total: Budget.nullable().meta({ description: 'Of all since it was set.' }),
  })
  .meta({ id: 'Budget' });
export type BudgetView = z.infer<typeof BudgetView>;

const limit = Money.nullable().optional();

export const BudgetRequest = z.strictObject({ day: limit, month: limit, total: limit }).meta({
  id: 'BudgetRequest',
  description: 'Null ends a limit; one that is not named stays as it is.',
});
export type BudgetRequest = z.infer<typeof BudgetRequest>;

/** The budget that a submission would have exceeded. */
export const ExceededBudget = z
  .object({
    of: z.enum(['account', 'key']),
    period: z.enum(BUDGET_PERIODS),
    ...limits,
    asked: BaseUnits.meta({ description: 'The hold that did not fit.' }),
  })
  .meta({ id: 'ExceededBudget' });
export type ExceededBudget = z.infer<typeof ExceededBudget>;
