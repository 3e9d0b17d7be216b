import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Ended } from '../process/guarded-spawn.js';
import { startProcess } from '../process/start-process.js';

export interface ChainProcessOptions {
  /** Where the chain and its log are kept. */
  readonly dir: string;
  /** JSON-RPC; the WebSocket is on the port after it as well. */
  readonly port: number;
  /** Programs that are there from the beginning. */
  readonly programs?: readonly { readonly id: string; readonly path: string }[];
  /** How long a slot takes. Default: 400 ms, as on a cluster. */
  readonly slotMs?: number;
}

export interface ChainHandle {
  readonly pid: number;
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly logFile: string;
  /** Sends a signal to the process; false when it has ended. */
  kill(signal: NodeJS.Signals): boolean;
  stop(): Promise<Ended>;
}

/** Starts the embedded chain as a process of its own: what it executes would hold up everything else in this one. */
export async function startChainProcess(options: ChainProcessOptions): Promise<ChainHandle> {
  const { dir, port, programs = [], slotMs } = options;
  const running = await startProcess({
    name: 'the chain',
    command: process.execPath,
    args: [
      fileURLToPath(new URL('../../dist/chain/main.js', import.meta.url)),
      ...['--port', String(port), '--dir', join(dir, 'chain')],
      ...(slotMs === undefined ? [] : ['--slot-ms', String(slotMs)]),
      ...programs.flatMap(({ id, path }) => ['--program', `${id}=${path}`]),
    ],
    logFile: join(dir, 'logs', 'chain.log'),
    readyWhen: { url: `http://127.0.0.1:${port}/health` },
    startDeadlineMs: 30_000,
    env: process.env,
  });
  return {
    pid: running.pid,
    rpcUrl: `http://127.0.0.1:${port}`,
    wsUrl: `ws://127.0.0.1:${port + 1}`,
    logFile: running.logFile,
    kill: (signal) => running.signal(signal),
    stop: () => running.stop(),
  };
}
