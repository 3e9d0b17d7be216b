import { existsSync, readFileSync, writeFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadSigner, type Signer } from '@tidemill/protocol/node';
import { type AgentProcess, agentStateDir, findAgent } from '../agent/agent-process.js';
import { readAgentStatus } from '../agent/agent-status.js';
import { EXIT } from '../exit-code.js';
import { CliError } from '../failure.js';
import type { Session } from '../session.js';

export interface FolderOption {
  readonly stateDir?: string;
}

export const FOLDER = [
  '--state-dir <folder>',
  "the worker's folder (default: ~/.tidemill/worker)",
] as const;

/** What lies in a worker's folder, as its owner's commands use it. */
export class WorkerFolder {
  readonly path: string;

  constructor(session: Session, { stateDir }: FolderOption) {
    const { io } = session;
    this.path = resolve(io.cwd, stateDir ?? agentStateDir(io.env, io.home));
  }

  get keyFile(): string {
    return join(this.path, 'key.json');
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** The key it works with. @throws CliError when there is none */
  signer(): Signer {
    if (!existsSync(this.keyFile)) {
      const next = 'Start a worker (tidemill worker join), or name its folder with --state-dir.';
      throw new CliError(`There is no worker key in ${this.path}.`, next, EXIT.failed);
    }
    return loadSigner(this.keyFile);
  }

  agent(): AgentProcess | null {
    return findAgent(this.path);
  }

  /** @throws CliError while the worker runs */
  mustNotRun(): void {
    const agent = this.agent();
    if (agent === null) return;
    const next = 'Stop it first: tidemill worker drain';
    throw new CliError(`The worker (pid ${agent.pid}) runs.`, next, EXIT.failed);
  }

  /** The id that the network gave the worker. @throws CliError when it never joined */
  workerId(): string {
    const id = readAgentStatus(this.path)?.workerId ?? null;
    if (id !== null) return id;
    const next = 'Join once: tidemill worker join';
    throw new CliError('This worker is not yet known to a network.', next, EXIT.failed);
  }

  /** Receipts that no orchestrator has acknowledged: work that is not paid yet. */
  receiptsWaiting(): number {
    const waiting = new Set<string>();
    if (!existsSync(this.file('outbox.jsonl'))) return 0;
    for (const line of readFileSync(this.file('outbox.jsonl'), 'utf8').split('\n')) {
      const entry = parsed(line);
      if (entry?.put !== undefined) waiting.add(entry.put.attemptId);
      for (const id of entry?.gone ?? []) waiting.delete(id);
    }
    return waiting.size;
  }

  /** Replaces a file of the folder whole. */
  write(name: string, value: unknown): void {
    const draft = this.file(`${name}.${process.pid}`);
    writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, this.file(name));
  }
}

interface OutboxLine {
  readonly put?: { readonly attemptId: string };
  readonly gone?: readonly string[];
}

/** A line of the agent's journal; one that was cut off by a crash counts for nothing, as the agent has it. */
function parsed(line: string): OutboxLine | null {
  try {
    return JSON.parse(line) as OutboxLine;
  } catch {
    return null;
  }
}
