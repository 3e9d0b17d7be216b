#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@solana/web3.js';
import { Tidemill } from '@tidemill/client';
import { loadSigner } from '@tidemill/protocol/node';
import { pino } from 'pino';
import { ChainReader } from './chain-reader.js';
import { Cosigner, type CosignerTurn } from './cosigner.js';
import { MemoryDamagedError, MemoryFolder } from './memory-folder.js';
import { readSettings, type CosignerSettings } from './config/env.js';
import { ShownOrchestrator } from './shown-orchestrator.js';

const log = pino({ base: { app: 'cosigner' } });

const read = readSettings();
if (!read.ok) {
  for (const fault of read.faults) console.error(`tidemill-cosigner: ${fault}`);
  process.exit(2);
}
try {
  await watch(read.settings);
} catch (err) {
  log.fatal({ err }, 'could not go on');
  process.exit(1);
}

/** Turns until the process is asked to end. */
async function watch(settings: CosignerSettings): Promise<void> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  const signer = loadSigner(settings.keyFile);
  const cosigner = cosignerOf(settings, signer);
  log.info({ cosigner: signer.address, url: settings.url }, 'watching');
  let said = '';
  while (!ending.signal.aborted) {
    try {
      const turn = await cosigner.turn();
      const text = turn.kind === 'waiting' ? `${turn.epoch} ${turn.why}` : turn.kind;
      // What it waits for is said once.
      if (turn.kind !== 'waiting' || text !== said) say(turn);
      said = text;
    } catch (err) {
      if (err instanceof MemoryDamagedError) throw err;
      log.error({ err }, 'turn failed');
    }
    await sleep(settings.everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
  }
}

function cosignerOf(settings: CosignerSettings, signer: ReturnType<typeof loadSigner>): Cosigner {
  const tidemill = new Tidemill({
    url: settings.url,
    // Logs in to read charges; the client signs no text but that of a login, whatever the orchestrator asks for.
    signer,
    ...(settings.audience === undefined ? {} : { audience: settings.audience }),
  });
  const { program, network, name, maxFeeBps } = settings;
  const chain = new ChainReader(program, network, new Connection(settings.rpcUrl, 'finalized'));
  return new Cosigner(
    { name, network, program, maxFeeBps },
    signer,
    new MemoryFolder(settings.dir),
    new ShownOrchestrator(tidemill, signer.address),
    (workers) => chain.read(workers),
  );
}

function say(turn: CosignerTurn): void {
  if (turn.kind === 'idle') return;
  const facts = { ...turn, epoch: Number(turn.epoch) };
  if (turn.kind === 'objected') log.error(facts, 'objected');
  else if (turn.kind === 'waiting') log.warn(facts, 'waiting');
  else log.info(facts, turn.kind);
}
