import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type TreeUsage, killTree, treeUsage } from './process-tree.js';
import { type ConfinedProgram, type Sandbox, SandboxError } from './sandbox.js';

/** Why a program was ended by its keeper. */
export type KillReason = 'stopped' | 'timeout' | 'memory' | 'processes' | 'talk';

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Null when it ended by itself. */
  readonly killedFor: KillReason | null;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly maxRssMib: number;
}

export interface Watch {
  readonly wallMs: number;
  /** Ends the program when its caller has no more use for it. */
  readonly signal: AbortSignal;
}

/** How often /proc is read. A program that grows faster is met by its own limits first. */
const WATCH_MS = 100;

/** A running confined program and its keeper: it cannot outlive its limits, its deadline, or its caller's interest. */
export class ConfinedProcess {
  readonly input: Writable;
  readonly output: Readable;
  readonly errors: Readable;
  readonly events: Readable;
  /** Settles when the program and all it started are gone. Never rejects. */
  readonly ended: Promise<Ended>;

  private killedFor: KillReason | null = null;
  private cpuMs = 0;
  private maxRssMib = 0;

  /** @throws SandboxError when it cannot be started. */
  constructor(
    sandbox: Sandbox,
    private readonly program: ConfinedProgram,
    watch: Watch,
  ) {
    const startMs = performance.now();
    this.child = sandbox.start(program);
    const [input, output, errors, events] = this.child.stdio;
    if (!isWritable(input) || !isReadable(output) || !isReadable(errors) || !isReadable(events))
      throw new SandboxError('the program was started without its pipes');
    this.input = input;
    this.output = output;
    this.errors = errors;
    this.events = events;
    this.input.on('error', () => undefined); // it ended before it had read everything; its exit says why

    const deadline = setTimeout(() => this.kill('timeout'), watch.wallMs);
    const watching = setInterval(() => this.look(), WATCH_MS);
    const stop = () => this.kill('stopped');
    watch.signal.addEventListener('abort', stop);
    if (watch.signal.aborted) stop();

    this.ended = new Promise((resolve) => {
      const settle = (exitCode: number | null, signal: NodeJS.Signals | null) => {
        clearTimeout(deadline);
        clearInterval(watching);
        watch.signal.removeEventListener('abort', stop);
        const wallMs = Math.ceil(performance.now() - startMs);
        resolve({
          exitCode,
          signal,
          killedFor: this.killedFor,
          wallMs,
          cpuMs: this.cpuMs,
          maxRssMib: this.maxRssMib,
        });
      };
      // `close` comes after the pipes have been read to their end
      this.child.on('close', settle);
      this.child.on('error', () => settle(null, null));
    });
  }

  private readonly child: ChildProcess;

  /** Ends the program and everything it started. The first reason is the one that is told. */
  kill(reason: KillReason): void {
    this.killedFor ??= reason;
    const { pid, exitCode, signalCode } = this.child;
    // the wrapper alone is not enough: what it has just forked may not know yet that it is to die with it
    if (pid !== undefined && exitCode === null && signalCode === null) killTree(pid);
  }

  private look(): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    const usage: TreeUsage = treeUsage(pid);
    this.cpuMs = Math.max(this.cpuMs, usage.cpuMs);
    this.maxRssMib = Math.max(this.maxRssMib, usage.rssMib);
    if (usage.rssMib > this.program.limits.memoryMib) this.kill('memory');
    // the wrappers around the program are processes too
    else if (usage.threads > this.program.limits.processes + 4) this.kill('processes');
  }
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && 'read' in stream;
}

function isWritable(stream: unknown): stream is Writable {
  return typeof stream === 'object' && stream !== null && 'write' in stream;
}
