import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { EXIT, type ExitCode } from '../exit-code.js';
import { CliError } from '../failure.js';
import type { Session } from '../session.js';
import { agentLine } from './agent-lines.js';

/** Runs the agent in a process of its own until it ends. Ctrl-C drains it, a second one stops it at once. */
export async function runAgent(session: Session, args: readonly string[]): Promise<ExitCode> {
  const { appMain } = await import('@tidemill/localnet');
  const hasUrl = args.some((arg) => arg === '--orchestrator' || arg.startsWith('--orchestrator='));
  const asksHelp = args.includes('--help') || args.includes('-h');
  const target = hasUrl || asksHelp ? [] : ['--orchestrator', session.url];
  const agent = spawn(process.execPath, [appMain('@tidemill/worker'), ...target, ...args], {
    env: session.io.env,
    cwd: session.io.cwd,
    // A group of its own: the terminal's Ctrl-C must reach it once, through us, since its second one means "at once".
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  createInterface({ input: agent.stdout }).on('line', (line) => session.io.out(`${line}\n`));
  createInterface({ input: agent.stderr }).on('line', (line) => {
    session.io.err(`${session.json ? line : agentLine(line, session.io.colors)}\n`);
  });
  const interrupt = () => {
    session.remark('draining: what runs is finished; Ctrl-C again stops at once');
    agent.kill('SIGTERM');
    process.once('SIGINT', () => agent.kill('SIGTERM'));
  };
  session.io.interrupted.addEventListener('abort', interrupt, { once: true });
  try {
    const [code] = (await once(agent, 'close')) as [number | null];
    return exitOf(code);
  } finally {
    session.io.interrupted.removeEventListener('abort', interrupt);
  }
}

function exitOf(code: number | null): ExitCode {
  if (code === 0) return EXIT.succeeded;
  if (code === EXIT.usage) return EXIT.usage; // It said what was wrong with its settings.
  const how = code === null ? 'was killed' : `ended with status ${code}`;
  throw new CliError(`The worker ${how}.`, 'Its last lines say why.', EXIT.failed);
}
