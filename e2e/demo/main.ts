import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Network, startNetwork } from '@tidemill/localnet';
import pc from 'picocolors';
import { bill } from './chapters/bill.js';
import { inference } from './chapters/inference.js';
import { payout } from './chapters/payout.js';
import { replication } from './chapters/replication.js';
import { aSubmitter } from './chapters/submitter.js';
import { trail } from './chapters/trail.js';
import { training } from './chapters/training.js';
import { whereNext } from './chapters/where-next.js';
import { Stage } from './stage.js';

const USAGE = `A whole Tidemill network on this machine, from an empty folder to a verified bill.

  npm run demo                 runs it and stops everything
  npm run demo -- --keep       leaves the network running until Ctrl-C
  npm run demo -- --port 7070  the orchestrator's port (default: a free one; 7070 with --keep)
`;

/** Where the tidemill command looks when it is told nothing else. */
const KEPT_PORT = 7070;
/** The story seals its epoch itself. A network that stays goes on by the clock. */
const EPOCH_MIN_MS = 10 * 60_000;

const { values: options } = parseArgs({
  options: {
    keep: { type: 'boolean' },
    port: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (options.help) {
  process.stdout.write(USAGE);
} else {
  // What an interrupted story still waits for must not keep the process alive.
  process.exit(await demo(options.keep ?? false, options.port));
}

/** Tells the story in a folder of its own. 0 when everything that was promised happened, 130 when it was interrupted before. */
async function demo(keep: boolean, port: string | undefined): Promise<number> {
  const stage = new Stage(process.stdout);
  const dir = mkdtempSync(join(tmpdir(), 'tidemill-demo-'));
  const interrupted = once(process, 'SIGINT').then(() => 130);
  let network: Network | undefined;
  try {
    stage.heading('A network: PostgreSQL, a chain, an orchestrator, co-signers and three workers');
    network = await startNetwork({
      dir,
      workers: 3,
      onChain: true,
      orchestratorEnv: { TIDEMILL_EPOCH_MIN_MS: String(EPOCH_MIN_MS) },
      port: port === undefined ? (keep ? KEPT_PORT : undefined) : Number(port),
      log: (message) => stage.line(`   ${pc.dim(message)}`),
    });
    const told = tell(stage, network, keep).then(() => 0);
    const code = await Promise.race([told, interrupted]);
    if (code === 0 && keep) await interrupted;
    await network.stop();
    if (code === 0) rmSync(dir, { recursive: true, force: true });
    return code;
  } catch (error) {
    stage.line(
      `\n${pc.red(pc.bold('The demo failed:'))} ${error instanceof Error ? error.message : String(error)}`,
    );
    stage.line(`The logs are in ${join(dir, 'logs')}.`);
    return 1;
  } finally {
    stage.endLive();
    await network?.stop();
  }
}

async function tell(stage: Stage, network: Network, keep: boolean): Promise<void> {
  const { world, digits } = await aSubmitter(stage, network);
  const { job: trained, killed } = await training(world, digits);
  const tested = await inference(world, trained, digits);
  const repeated = await replication(world, digits);
  await bill(world, [trained, tested, repeated]);
  await trail(world);
  await payout(world);
  if (keep) await killed.restart();
  stage.line(`\n${pc.green(pc.bold('Everything promised happened'))} in ${stage.seconds} s.`);
  await whereNext(world, keep);
}
