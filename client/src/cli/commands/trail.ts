import { resolve } from 'node:path';
import { Command } from 'commander';
import {
  checkContinues,
  cosign,
  downloadTrail,
  WitnessMemory,
  WitnessRefusal,
} from '../../verify/index.js';
import { TidemillError } from '../../sdk/tidemill-error.js';
import type { Checkpoint } from '../../sdk/types.js';
import type { Cli } from '../cli.js';
import { readWallet } from '../config/wallet.js';
import { EXIT, type ExitCode } from '../exit-code.js';
import type { Session } from '../session.js';
import { duration, wholeNumber } from './options.js';

export const trailCommand = (cli: Cli) =>
  new Command('trail')
    .description('copy and watch the trail of what the network decided')
    .addCommand(exportCommand(cli))
    .addCommand(checkpointsCommand(cli))
    .addCommand(witnessCommand(cli));

const exportCommand = (cli: Cli) =>
  new Command('export')
    .description('copy the whole trail to a file; one that was cut off goes on where it ended')
    .requiredOption('--out <file>', 'the new file')
    .action(
      cli.act(async (session, { out }: { readonly out: string }) => {
        const file = resolve(session.io.cwd, out);
        const { trail } = session.tidemill();
        const copied = await downloadTrail((from) => trail.lines(from), file);
        const note = copied.resumedAt === 0 ? '' : `, ${copied.resumedAt} of them before`;
        session.show(
          { file, ...copied },
          () =>
            `wrote ${copied.events} events to ${file}${note}\ncheck it: tidemill verify trail ${out}\n`,
        );
      }),
    );

const checkpointsCommand = (cli: Cli) =>
  new Command('checkpoints')
    .description('what the operator signed of its trail, and who witnessed it')
    .option('--witness <key>', 'only what this witness signed')
    .option('--limit <n>', 'how many', wholeNumber(1, 200), 20)
    .action(
      cli.act(async (session, query: { readonly witness?: string; readonly limit: number }) => {
        const items = await session.tidemill().trail.checkpoints(query);
        session.show({ items }, () =>
          session.table(
            ['events', 'at', 'root', 'witnesses'],
            items.map(({ size, at, root, witnesses }) => [
              size,
              at,
              root,
              witnesses.map(({ publicKey }) => publicKey).join(' ') || '-',
            ]),
          ),
        );
      }),
    );

interface WitnessOptions {
  readonly key: string;
  readonly dir: string;
  readonly publicKey?: string;
  readonly once?: boolean;
  readonly every: number;
}

const witnessCommand = (cli: Cli) =>
  new Command('witness')
    .description('sign each new checkpoint that continues the last one seen; refuse any other')
    .requiredOption(
      '--key <file>',
      'the key file to sign with (keep it, and this folder, apart from the operator)',
    )
    .option('--dir <folder>', 'where the last checkpoint seen is kept', 'tidemill-witness')
    .option('--public-key <key>', "the operator's key in base58 (default: as seen first)")
    .option('--once', 'look once and end')
    .option('--every <duration>', 'how often to look', duration, 60_000)
    .action(cli.act(witness));

async function witness(session: Session, options: WitnessOptions): Promise<ExitCode> {
  const { io } = session;
  const signer = readWallet(resolve(io.cwd, options.key));
  const memory = new WitnessMemory(resolve(io.cwd, options.dir));
  const { trail } = session.tidemill();
  /** The size that was handed in last: what was refused or cut off then is handed in again. */
  let handedIn: number | null = null;
  for (;;) {
    try {
      const shown = await newest(() => trail.checkpoint());
      if (shown === null) session.remark('no checkpoint is signed yet');
      else {
        const last = await memory.last();
        const { publicKey } = options;
        const consistency = (from: number, to: number) => trail.consistency(from, to);
        await checkContinues(shown, { last, publicKey, consistency });
        await memory.remember(shown);
        if (handedIn !== shown.size || options.once === true) {
          await trail.witness(cosign(shown, signer, io.nowMs()));
          handedIn = shown.size;
          const { size, root } = shown;
          session.show(
            { witness: signer.address, size, root },
            () => `witnessed ${size} events, root ${root}\n`,
          );
        }
      }
    } catch (error) {
      if (error instanceof WitnessRefusal) return refused(session, memory, error);
      if (options.once === true) throw error;
      session.remark(
        `cannot watch at the moment: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (options.once === true) return EXIT.succeeded;
    await pause(options.every, io.interrupted);
  }
}

async function refused(
  session: Session,
  memory: WitnessMemory,
  refusal: WitnessRefusal,
): Promise<ExitCode> {
  const file = await memory.keepProof(refusal);
  const { code, message, shown, last } = refusal;
  session.show(
    { refused: code, message, shown, last, proof: file },
    () =>
      session.io.colors.red(
        `NOT WITNESSED: ${code}. The checkpoint is not one to trust: ${message}.\n`,
      ) +
      session.facts([
        [
          'evidence',
          `${file} holds what was shown and what was seen before: show it to others who use this network`,
        ],
      ]),
  );
  return EXIT.failed;
}

async function newest(ask: () => Promise<Checkpoint>): Promise<Checkpoint | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TidemillError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

function pause(ms: number, interrupted: AbortSignal): Promise<void> {
  return new Promise((done, failed) => {
    const stop = (): void => {
      clearTimeout(timer);
      failed(interrupted.reason as Error);
    };
    const timer = setTimeout(() => {
      interrupted.removeEventListener('abort', stop);
      done();
    }, ms);
    if (interrupted.aborted) stop();
    else interrupted.addEventListener('abort', stop, { once: true });
  });
}
