import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { Tidemill } from '../../sdk/tidemill.js';
import type { Cli } from '../cli.js';
import { readWallet } from '../config/wallet.js';
import { tokens } from '../output/quantities.js';
import type { Session } from '../session.js';
import { amountText } from './options.js';

export const adminCommand = (cli: Cli) =>
  new Command('admin')
    .description("what the network's operator may do")
    .addCommand(creditCommand(cli))
    .addCommand(drainCommand(cli))
    .addCommand(suspensionCommand(cli, 'suspend', "revoke a worker's key; its work goes elsewhere"))
    .addCommand(suspensionCommand(cli, 'resume', 'let a suspended worker log in again'));

interface AdminOptions {
  readonly key?: string;
}

const KEY_OPTION = [
  '--key <file>',
  'ask as this wallet (default: the API key or login in use)',
] as const;

const creditCommand = (cli: Cli) =>
  new Command('credit')
    .description('give a wallet credit')
    .argument('<wallet>', 'its public key')
    .argument('<amount>', 'tokens, such as 25 or 1.20', amountText)
    .option('--ref <text>', 'a name for this gift: the same one twice gives it once', randomUUID())
    .option(...KEY_OPTION)
    .action(
      cli.act(
        async (
          session,
          wallet: string,
          amount: string,
          options: AdminOptions & { ref: string },
        ) => {
          const account = await asAdmin(session, options).admin.credit(wallet, amount, options.ref);
          session.show(
            account,
            () => `${account.wallet} has ${tokens(account.available)} available.\n`,
          );
        },
      ),
    );

const drainCommand = (cli: Cli) =>
  new Command('drain')
    .description('give a worker no new work; what it runs it finishes')
    .argument('<worker>', 'its id')
    .option(...KEY_OPTION)
    .action(
      cli.act(async (session, id: string, options: AdminOptions) => {
        const worker = await asAdmin(session, options).admin.drain(id);
        session.show(
          worker,
          () => `${worker.name} is ${worker.state}, ${worker.running} running.\n`,
        );
      }),
    );

const suspensionCommand = (cli: Cli, name: 'suspend' | 'resume', description: string) =>
  new Command(name)
    .description(description)
    .argument('<worker>', 'its id')
    .option(...KEY_OPTION)
    .action(
      cli.act(async (session, id: string, options: AdminOptions) => {
        const worker = await asAdmin(session, options).admin[name](id);
        session.show(worker, () => `${worker.name} is ${worker.state}.\n`);
      }),
    );

function asAdmin(session: Session, { key }: AdminOptions): Tidemill {
  if (key === undefined) return session.tidemill();
  const { io, url } = session;
  return new Tidemill({ url, fetch: io.fetch, signer: readWallet(resolve(io.cwd, key)) });
}
