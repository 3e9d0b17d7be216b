import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Network } from '@tidemill/localnet';
import { Command } from 'commander';
import type { Cli } from '../cli.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import { type FirstSteps, firstSteps } from '../local/first-steps.js';
import type { Session } from '../session.js';
import { wholeNumber } from './options.js';

interface UpOptions {
  readonly workers: number;
  readonly port: number;
  readonly dir: string;
  readonly onChain?: boolean;
}

export const upCommand = (cli: Cli) =>
  new Command('up')
    .description('start a whole network on this machine: database, orchestrator and workers')
    .option('--workers <count>', 'how many workers', wholeNumber(0, 64), 3)
    .option('--port <port>', "the orchestrator's port", wholeNumber(1, 65_535), 7070)
    .option(
      '--dir <folder>',
      'where it keeps everything; the next start finds it there',
      '.tidemill/local',
    )
    .option('--on-chain', 'pay on an embedded chain, with co-signers; in a folder of its own')
    .action(cli.act(up));

async function up(
  session: Session,
  { workers, port, dir, onChain = false }: UpOptions,
): Promise<ExitCode> {
  // Loaded here alone, so that no other command waits for the database's code.
  const { startNetwork } = await import('@tidemill/localnet');
  const folder = resolve(session.io.cwd, dir);
  mkdirSync(folder, { recursive: true });
  const network = await startNetwork({
    dir: folder,
    workers,
    port,
    onChain,
    log: (message) => session.remark(session.io.colors.dim(message)),
  });
  try {
    const steps = await firstSteps(network);
    announce(session, network, steps);
    await untilInterrupted(session);
    session.remark('stopping');
  } finally {
    await network.stop();
  }
  return EXIT.succeeded;
}

function announce(session: Session, network: Network, steps: FirstSteps): void {
  const { url, dir, adminKeyFile } = network;
  const { apiKey, walletFile } = steps;
  const running = network.workers.map(({ id, name, pid, logFile }) => ({ id, name, pid, logFile }));
  const database = network.databaseUrl;
  const chain = network.settlement?.rpcUrl ?? null;
  session.show(
    { url, apiKey, walletFile, adminKeyFile, dir, database, chain, workers: running },
    () =>
      [
        '',
        session.facts([
          ['orchestrator', url],
          ['what it can do', `${url}/docs`],
          ['metrics', `${url}/metrics`],
          ['database', database],
          ...(chain === null ? [] : [['chain', chain] as const]),
          ['logs', join(dir, 'logs')],
          ['workers', running.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ') || 'none'],
          ['your wallet', walletFile],
          ["the operator's wallet", adminKeyFile],
          ['your API key', apiKey],
        ]),
        'Try it in another terminal:',
        '',
        `  export TIDEMILL_URL=${url} TIDEMILL_API_KEY=${apiKey}`,
        '  tidemill run --noop 2s',
        `  curl -s ${url}/v1/jobs -H "Authorization: Bearer $TIDEMILL_API_KEY" \\`,
        `    -H 'Content-Type: application/json' -d '{"kind":"batch","runtime":{"noop":{"sleepMs":500}}}'`,
        `  curl -s ${url}/v1/workers`,
        '',
        'Ctrl-C stops all of it.',
        '',
      ].join('\n'),
  );
}

async function untilInterrupted({ io }: Session): Promise<void> {
  if (io.interrupted.aborted) return;
  // A signal alone does not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  await once(io.interrupted, 'abort');
  clearInterval(alive);
}
