import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { AttemptId } from '@tidemill/protocol';
import { verifySignedReceipt } from '../../verify/index.js';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { printable } from '../output/printable.js';
import type { Session } from '../session.js';
import { jsonDocument } from './json-document.js';

interface ReceiptOptions {
  readonly verify?: boolean;
  readonly out?: string;
  readonly publicKey?: string;
}

export const receiptCommand = (cli: Cli) =>
  new Command('receipt')
    .description('what a worker signed about an attempt (get shows the ids)')
    .argument('<receipt>', 'the attempt, or a file that holds its receipt')
    .option('--verify', 'check its hash, its place in the batch and the signature over that')
    .option('--out <file>', 'keep it, to be checked again without the network')
    .option('--public-key <key>', "the worker's key in base58 (workers shows it)")
    .action(cli.act(receipt));

async function receipt(
  session: Session,
  which: string,
  options: ReceiptOptions,
): Promise<ExitCode> {
  const isId = AttemptId.safeParse(which).success;
  const signed = isId
    ? await session.tidemill().jobs.receipt(which)
    : await jsonDocument(session, which);
  if (options.out !== undefined) {
    const file = resolve(session.io.cwd, options.out);
    await writeFile(file, `${JSON.stringify(signed, null, 2)}\n`, { flag: 'wx' });
    session.remark(`wrote ${file}`);
  }
  if (options.verify !== true) {
    session.show(
      signed,
      () => `${JSON.stringify(signed, null, 2).split('\n').map(printable).join('\n')}\n`,
    );
    return EXIT.succeeded;
  }
  const check = verifySignedReceipt(signed, {
    attempt: isId ? which : undefined,
    publicKey: options.publicKey,
  });
  session.show(check, () => {
    const { colors } = session.io;
    if (!check.ok) {
      return `${colors.red(`The receipt is bad: ${check.code}.`)}\n${session.facts([['what', check.detail]])}`;
    }
    const { receipt: says } = check;
    return `${colors.green('The receipt is sound.')}\n${session.facts([
      ['attempt', `${says.attemptId} under fence ${says.fence}`],
      ['job', says.jobId],
      ['worker', says.workerId],
      ['outcome', says.failure === null ? says.outcome : `${says.outcome}: ${says.failure.code}`],
      ['outputs', says.outputs.length],
      ['metered', `${says.usage.billableMs} ms`],
    ])}`;
  });
  return check.ok ? EXIT.succeeded : EXIT.failed;
}
