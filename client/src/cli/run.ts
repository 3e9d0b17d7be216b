import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { Cli } from './cli.js';
import { accountCommand } from './commands/account.js';
import { adminCommand } from './commands/admin.js';
import { applyCommand } from './commands/apply.js';
import { approveCommand } from './commands/approve.js';
import { budgetCommand } from './commands/budget.js';
import { cancelCommand } from './commands/cancel.js';
import { claimCommand } from './commands/claim.js';
import { completionCommand } from './commands/completion.js';
import { cpCommand } from './commands/cp.js';
import { decisionCommand } from './commands/decision.js';
import { depositCommand } from './commands/deposit.js';
import { eraseCommand } from './commands/erase.js';
import { getCommand } from './commands/get.js';
import { jobsCommand } from './commands/jobs.js';
import { keysCommand } from './commands/keys.js';
import { loginCommand } from './commands/login.js';
import { logsCommand } from './commands/logs.js';
import { outputsCommand } from './commands/outputs.js';
import { planCommand } from './commands/plan.js';
import { profilesCommand } from './commands/profiles.js';
import { receiptCommand } from './commands/receipt.js';
import { replayCommand } from './commands/replay.js';
import { rerunCommand } from './commands/rerun.js';
import { runCommand } from './commands/run.js';
import { stakeCommand, unstakeCommand } from './commands/stake.js';
import { trailCommand } from './commands/trail.js';
import { upCommand } from './commands/up.js';
import { verifyCommand } from './commands/verify.js';
import { waitCommand } from './commands/wait.js';
import { webhooksCommand } from './commands/webhooks.js';
import { withdrawCommand } from './commands/withdraw.js';
import { workerCommand } from './commands/worker.js';
import { workersCommand } from './commands/workers.js';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-code.js';
import { failureOf } from './failure.js';
import { InterruptedError } from './interrupted-error.js';
import type { Io } from './io.js';
import { showFailure } from './output/show-failure.js';

const COMMANDS = [
  upCommand,
  loginCommand,
  profilesCommand,
  keysCommand,
  runCommand,
  applyCommand,
  planCommand,
  jobsCommand,
  getCommand,
  logsCommand,
  waitCommand,
  cancelCommand,
  rerunCommand,
  eraseCommand,
  outputsCommand,
  cpCommand,
  workersCommand,
  workerCommand,
  accountCommand,
  budgetCommand,
  depositCommand,
  withdrawCommand,
  claimCommand,
  stakeCommand,
  unstakeCommand,
  receiptCommand,
  replayCommand,
  webhooksCommand,
  decisionCommand,
  verifyCommand,
  trailCommand,
  adminCommand,
  approveCommand,
  completionCommand,
];

/** Runs one command line and says how it ended. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const cli = new Cli(io);
  try {
    await program(cli).parseAsync([...argv], { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    // Help and version end this way too; what was wrong with the usage has been printed.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.succeeded : EXIT.usage;
    if (error instanceof InterruptedError) return EXIT.interrupted;
    const failure = failureOf(error);
    showFailure(io, failure, argv.includes('--json'));
    return failure.exitCode;
  }
}

function program(cli: Cli): Command {
  const { version } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string };
  const root = new Command('tidemill')
    .description(
      'Submit jobs to a Tidemill network, run workers for it, and check what it decided.',
    )
    .version(version)
    .option(
      '--url <url>',
      'the orchestrator (default: TIDEMILL_URL, the current profile, or this machine)',
    )
    .option('--profile <name>', 'the login to use (default: TIDEMILL_PROFILE, or the last login)')
    .option('--api-key <key>', 'ask with this key (default: TIDEMILL_API_KEY, or the profile)')
    .option('--json', 'answer in JSON: one document, or one line for each event')
    .addHelpText('after', EXIT_HELP);
  for (const command of COMMANDS) root.addCommand(command(cli));
  settle(root, cli.io);
  return root;
}

/** Settings that commander does not hand down to commands that were built on their own. */
function settle(command: Command, io: Io): void {
  command
    .exitOverride()
    .showHelpAfterError('(add --help for what there is)')
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const child of command.commands) settle(child, io);
}
