import { join } from 'node:path';
import { TFJS_OUTPUTS, type TfjsTask } from '@tidemill/protocol';
import {
  type RunEvents,
  type RunFailure,
  type RunLimits,
  type RunOutcome,
  type RunRequest,
  type Runner,
  failure,
} from '../runner.js';
import { ConfinedProcess, type Ended } from '../sandbox/confined-process.js';
import { detectSandbox } from '../sandbox/detect.js';
import type { ConfinedProgram, Sandbox } from '../sandbox/sandbox.js';
import { codeMounts, workerFolder } from './code-mounts.js';
import { ENVIRONMENT } from './environment.js';
import { failureOf } from './ending.js';
import { ChildTalkError, EventReader } from './events.js';
import { type InputFile, InputError, findInputs, sendInputs, write } from './inputs.js';
import { readLines } from './log-lines.js';
import type { Backend, ChildEvent, ChildRequest } from './wire.js';

export interface TfjsRunnerOptions {
  /** Which library to use; `auto` unless a test or an operator wants one of them. */
  readonly backend?: Backend;
  /** The sandbox to use; found out when it is left away. */
  readonly sandbox?: Sandbox;
}

type Offer = Awaited<ReturnType<Runner['offer']>>;
interface Ready {
  readonly offer: Offer;
  readonly sandbox: Sandbox | null;
}

const PROBE_LIMITS: RunLimits = {
  wallMs: 60_000,
  memoryMib: 2_048,
  outputBytes: 0,
  logBytes: 65_536,
};
const NO_USAGE = { wallMs: 0, cpuMs: 0, maxRssMib: 0 };
const UNKNOWN_CLASS = 'tfjs/unknown';
/** Threads of Node, of TensorFlow and of the wrappers, with room to spare. */
const MAX_PROCESSES = 128;
const PROGRESS_MS = 200;

/** Runs `tfjs` tasks, each in a child process of its own inside the strictest sandbox this machine has. */
export class TfjsRunner implements Runner {
  readonly runtime = 'tfjs';
  private ready: Promise<Ready> | null = null;

  constructor(private readonly options: TfjsRunnerOptions = {}) {}

  async offer(): Promise<Offer> {
    return (await this.prepare()).offer;
  }

  async run(request: RunRequest, events: RunEvents, signal: AbortSignal): Promise<RunOutcome> {
    const failed = (why: RunFailure, runtimeClass = UNKNOWN_CLASS): RunOutcome => ({
      state: 'failed',
      failure: why,
      runtimeClass,
      usage: NO_USAGE,
    });
    if (request.payload.runtime !== 'tfjs')
      return failed(failure('CHILD_PROTOCOL', 'this is no tfjs task'));
    const { sandbox, offer } = await this.prepare();
    if (sandbox === null || !offer.ok)
      return failed(
        failure(
          sandbox === null ? 'SANDBOX_UNAVAILABLE' : 'RUNTIME_UNAVAILABLE',
          offer.ok ? '' : offer.reason,
        ),
      );
    if (signal.aborted) return { state: 'stopped', usage: NO_USAGE };
    const { runtimeClass } = offer.offer;
    try {
      const files = await findInputs(request.payload.tfjs, request.inputs);
      return await this.runIn(sandbox, request.payload.tfjs, files, {
        request,
        events,
        signal,
        runtimeClass,
      });
    } catch (error) {
      if (error instanceof InputError)
        return failed(failure(error.code, error.message), runtimeClass);
      const message = error instanceof Error ? error.message : String(error);
      return failed(
        failure('SANDBOX_UNAVAILABLE', `the child could not be started: ${message}`),
        runtimeClass,
      );
    }
  }

  private async runIn(
    sandbox: Sandbox,
    task: TfjsTask,
    files: readonly InputFile[],
    attempt: {
      readonly request: RunRequest;
      readonly events: RunEvents;
      readonly signal: AbortSignal;
      readonly runtimeClass: string;
    },
  ): Promise<RunOutcome> {
    const { request, events, signal } = attempt;
    const backend = this.options.backend ?? 'auto';
    const inputs = files.map(({ digest, bytes }) => ({ digest, bytes }));
    const talk = await converse(sandbox, { type: 'run', backend, task, inputs }, files, {
      limits: request.limits,
      outputFolder: join(request.workDir, 'out'),
      events,
      signal,
    });
    const { ended } = talk;
    const usage = { wallMs: ended.wallMs, cpuMs: ended.cpuMs, maxRssMib: ended.maxRssMib };
    if (ended.killedFor === 'stopped') return { state: 'stopped', usage };
    const runtimeClass = talk.runtimeClass ?? attempt.runtimeClass;
    const why = failureOf(task, {
      ...talk,
      isReady: talk.runtimeClass !== null,
      limits: request.limits,
    });
    if (why !== null) return { state: 'failed', failure: why, runtimeClass, usage };
    const committed = talk.outputs.find(
      ({ name }) =>
        name === (task.type === 'tfjs.train' ? TFJS_OUTPUTS.checkpoint : TFJS_OUTPUTS.predictions),
    );
    return {
      state: 'succeeded',
      outputs: talk.outputs,
      // the file is the canonical text of what is committed to, so its digest is the commitment
      commitment: committed?.digest.slice('sha256:'.length) ?? null,
      metrics: talk.verdict?.type === 'done' ? talk.verdict.metrics : {},
      runtimeClass,
      usage,
    };
  }

  /** Finds a sandbox and lets a child load TensorFlow in it: once when that works, again the next time when it does not. */
  private prepare(): Promise<Ready> {
    const ready = (this.ready ??= this.findOut());
    void ready.then(({ offer }) => {
      if (!offer.ok) this.ready = null;
    });
    return ready;
  }

  private async findOut(): Promise<Ready> {
    const mounts = codeMounts();
    const probe = { entry: join(workerFolder(), 'dist/runtime/sandbox/probe/main.js'), mounts };
    const detection =
      this.options.sandbox === undefined
        ? await detectSandbox(probe)
        : { ok: true as const, sandbox: this.options.sandbox, refused: [] };
    if (!detection.ok)
      return {
        sandbox: null,
        offer: { ok: false, reason: `no sandbox works here: ${detection.refused.join('; ')}` },
      };
    const { sandbox, refused } = detection;
    const talk = await converse(
      sandbox,
      { type: 'probe', backend: this.options.backend ?? 'auto' },
      [],
      {
        limits: PROBE_LIMITS,
        outputFolder: '/nonexistent',
        events: { onProgress: () => undefined, onLog: () => undefined },
        signal: new AbortController().signal,
      },
    );
    if (talk.runtimeClass === null || talk.verdict?.type !== 'done') {
      const said =
        talk.verdict?.type === 'failed' ? talk.verdict.message : talk.errorTail.trim().slice(-500);
      return {
        sandbox,
        offer: { ok: false, reason: `TensorFlow does not load in the sandbox: ${said}` },
      };
    }
    const isolationDetail = [sandbox.detail, ...refused].join('; ').slice(0, 1_000);
    return {
      sandbox,
      offer: {
        ok: true,
        offer: {
          runtime: 'tfjs',
          runtimeClass: talk.runtimeClass,
          isolation: sandbox.level,
          isolationDetail,
        },
      },
    };
  }
}

interface Talk {
  readonly ended: Ended;
  readonly runtimeClass: string | null;
  readonly verdict: Extract<ChildEvent, { type: 'done' | 'failed' }> | null;
  readonly hostFault: RunFailure | null;
  readonly outputs: EventReader['outputs'];
  readonly errorTail: string;
}

/** Starts a child, gives it its request and files, and hears it out to its end. @throws SandboxError when it cannot be started. */
async function converse(
  sandbox: Sandbox,
  request: ChildRequest,
  files: readonly InputFile[],
  around: {
    readonly limits: RunLimits;
    readonly outputFolder: string;
    readonly events: RunEvents;
    readonly signal: AbortSignal;
  },
): Promise<Talk> {
  const { limits, events, signal } = around;
  const child = new ConfinedProcess(sandbox, programFor(limits), { wallMs: limits.wallMs, signal });
  let runtimeClass: string | null = null;
  let verdict: Talk['verdict'] = null;
  let hostFault: RunFailure | null = null;
  const stopFor = (error: unknown) => {
    const isKnown = error instanceof InputError || error instanceof ChildTalkError;
    hostFault ??= failure(
      isKnown ? error.code : 'CHILD_LOST',
      error instanceof Error ? error.message : String(error),
    );
    child.kill('talk');
  };

  const passProgress = limitRate(events);
  const reader = new EventReader(around.outputFolder, limits.outputBytes, (event) => {
    if (event.type === 'ready') runtimeClass = event.runtimeClass;
    else if (event.type === 'progress') passProgress(event);
    else if (event.type !== 'output') verdict = event;
  });
  const budget = { bytes: limits.logBytes };
  const [errorTail] = await Promise.all([
    readLines(child.errors, budget, (line) => events.onLog('err', line)),
    readLines(child.output, budget, (line) => events.onLog('out', line)),
    reader.read(child.events).catch(stopFor),
    feed(child, request, files).catch(stopFor),
  ]);
  const ended = await child.ended;
  return { ended, runtimeClass, verdict, hostFault, outputs: reader.outputs, errorTail };
}

async function feed(
  child: ConfinedProcess,
  request: ChildRequest,
  files: readonly InputFile[],
): Promise<void> {
  await write(child.input, `${JSON.stringify(request)}\n`);
  await sendInputs(files, child.input);
  child.input.end();
}

function limitRate(events: RunEvents): (event: Extract<ChildEvent, { type: 'progress' }>) => void {
  let lastMs = -Infinity;
  return ({ step, totalSteps, metrics }) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < PROGRESS_MS / 2) return; // half: the child keeps the pace, this only bounds one that does not
    lastMs = nowMs;
    const numbers = Object.entries(metrics).map(([name, value]) => [name, Number(value)] as const);
    events.onProgress({ step, totalSteps, metrics: Object.fromEntries(numbers) });
  };
}

function programFor(limits: RunLimits): ConfinedProgram {
  return {
    entry: join(workerFolder(), 'dist/runtime/tfjs/child/main.js'),
    // data and weights lie outside of V8's heap, so it needs no more than half; the trap handler reserves more address space than allowed
    nodeFlags: [
      '--disable-wasm-trap-handler',
      `--max-old-space-size=${Math.max(128, Math.floor(limits.memoryMib / 2))}`,
    ],
    arguments: [],
    mounts: codeMounts(),
    environment: ENVIRONMENT,
    limits: {
      memoryMib: limits.memoryMib,
      cpuSeconds: Math.ceil(limits.wallMs / 1000) * 2 + 10,
      processes: MAX_PROCESSES,
      openFiles: 256,
    },
  };
}
