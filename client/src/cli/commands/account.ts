import { Command } from 'commander';
import type { LedgerEntry } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { ago, tokens } from '../output/quantities.js';
import { budgetFacts } from './budget.js';
import { amountText, wholeNumber } from './options.js';

interface AccountOptions {
  readonly entries?: number | true;
  readonly kind?: string;
  readonly for?: string;
  readonly warnBelow?: string;
}

export const accountCommand = (cli: Cli) =>
  new Command('account')
    .description('your balance, and the ledger entries behind it')
    .option(
      '--entries [count]',
      'with the newest entries (20 unless told otherwise)',
      wholeNumber(1, 200),
    )
    .option('--kind <kind>', 'of the entries only these, such as charge')
    .option('--for <ref>', 'of the entries only those of this job, attempt or credit')
    .option('--warn-below <tokens>', 'tell webhooks when less is available; 0 ends it', amountText)
    .action(
      cli.act(async (session, options: AccountOptions) => {
        const { account } = session.tidemill();
        const view =
          options.warnBelow === undefined
            ? await account.get()
            : await account.warnBelow(options.warnBelow);
        const isFiltered = options.kind !== undefined || options.for !== undefined;
        const wanted = options.entries ?? (isFiltered || undefined);
        const limit = wanted === true ? 20 : wanted;
        const filter = {
          ...(options.kind === undefined ? {} : { kind: options.kind }),
          ...(options.for === undefined ? {} : { ref: options.for }),
        };
        const entries =
          limit === undefined ? [] : (await account.entryPage({ ...filter, limit })).items;
        session.show(limit === undefined ? view : { account: view, entries }, () => {
          const facts = session.facts([
            ['account', view.id],
            ['wallet', view.wallet],
            ['available', tokens(view.available)],
            ['held', tokens(view.held)],
            ['spent', tokens(view.spent)],
            ['granted', tokens(view.granted)],
            // A network that is older does not say.
            ['warns below', view.warnBelow == null ? '-' : tokens(view.warnBelow)],
            ...budgetFacts(view.budget),
          ]);
          const rows = entries.flatMap((entry) => postings(entry, session.io.nowMs()));
          return (
            facts +
            (rows.length === 0
              ? ''
              : `\n${session.table(['when', 'entry', 'for', 'account', 'amount'], rows)}`)
          );
        });
      }),
    );

const postings = (entry: LedgerEntry, nowMs: number) =>
  entry.postings.map(({ account, amount }, i) =>
    i === 0
      ? [ago(entry.at, nowMs), entry.kind, entry.ref, account, tokens(amount)]
      : ['', '', '', account, tokens(amount)],
  );
