#!/usr/bin/env node
import { join } from 'node:path';
import { pino } from 'pino';
import type { Agent } from './agent.js';
import { startAgent } from './compose.js';
import { readConfiguration } from './config/env.js';
import { helpText } from './config/flags.js';
import type { Settings } from './config/settings.js';
import { KeyFileError, openKey } from './state/key.js';
import { lock, LockedError } from './state/lock.js';

/** Exit codes: what a service manager or a person can tell apart. */
const EXIT = { done: 0, failed: 1, misconfigured: 2 } as const;

async function main(): Promise<number> {
  const configuration = readConfiguration();
  if (configuration.kind === 'help') {
    process.stdout.write(helpText());
    return EXIT.done;
  }
  if (configuration.kind === 'faults') {
    process.stderr.write(`${configuration.faults.join('\n')}\nSee --help.\n`);
    return EXIT.misconfigured;
  }
  try {
    return await runWith(configuration.settings);
  } catch (error) {
    if (error instanceof KeyFileError) return complain(error, EXIT.misconfigured);
    if (error instanceof LockedError) return complain(error, EXIT.failed);
    throw error;
  }
}

async function runWith(settings: Settings): Promise<number> {
  const log = pino(
    { level: settings.logLevel, base: { name: settings.name } },
    pino.destination(2),
  );
  const unlockState = lock(join(settings.stateDir, 'agent.lock'));
  try {
    const unlockKey = lock(`${settings.keyFile}.lock`);
    try {
      const { signer, isNew } = openKey(settings.keyFile);
      log.info(
        {
          publicKey: signer.address,
          isNew,
          orchestrator: settings.orchestrator.origin,
          pid: process.pid,
        },
        'starting',
      );
      const { agent, exited } = await startAgent(settings, signer, log);
      drainOnSignal(agent);
      const { reason } = await exited;
      return reason === 'drained' || reason === 'stopped' ? EXIT.done : EXIT.failed;
    } finally {
      unlockKey();
    }
  } finally {
    unlockState();
  }
}

/** The first signal drains, the second stops at once. */
function drainOnSignal(agent: Agent): void {
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals === 1) agent.drain();
    else agent.stop();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function complain(error: Error, code: number): number {
  process.stderr.write(`${error.message}\n`);
  return code;
}

process.exitCode = await main();
