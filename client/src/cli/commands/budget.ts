import { BUDGET_PERIODS, type BudgetPeriod } from '@tidemill/protocol';
import { Command } from 'commander';
import type { Budget } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { tokens } from '../output/quantities.js';
import { amountText } from './options.js';

type BudgetOptions = { readonly key?: string } & { readonly [P in BudgetPeriod]?: string };

const asLimit = (text: string): string => (text === 'none' ? text : amountText(text));

export const budgetCommand = (cli: Cli) =>
  new Command('budget')
    .description('show or set what your account, or a key, may spend; holds count until they end')
    .option('--key <id>', 'of this key and those that replace it, not of the account')
    .option('--day <tokens>', 'in a day, by UTC; none ends the limit', asLimit)
    .option('--month <tokens>', 'in a calendar month, by UTC; none ends the limit', asLimit)
    .option('--total <tokens>', 'of all from now on; none ends the limit', asLimit)
    .action(
      cli.act(async (session, { key, ...options }: BudgetOptions) => {
        const { account } = session.tidemill();
        const change = Object.fromEntries(
          BUDGET_PERIODS.flatMap((period) => {
            const limit = options[period];
            return limit === undefined ? [] : [[period, limit === 'none' ? null : limit]];
          }),
        );
        const budget =
          Object.keys(change).length === 0
            ? await account.budget(key)
            : await account.setBudget(change, key);
        session.show(budget, () => session.facts(budgetFacts(budget)));
      }),
    );

/** A line for each limit; a network that is older says nothing of them. */
export const budgetFacts = (budget: Budget | undefined): [string, string][] =>
  BUDGET_PERIODS.map((period) => [
    period === 'total' ? 'total budget' : `${period}'s budget`,
    limitText(budget?.[period] ?? null),
  ]);

function limitText(limit: Budget['day']): string {
  if (limit === null) return '-';
  const renews = limit.renewsAt === null ? '' : `, renews at ${limit.renewsAt}`;
  return `${tokens(limit.left)} left of ${tokens(limit.limit)}, ${tokens(limit.used)} used${renews}`;
}
