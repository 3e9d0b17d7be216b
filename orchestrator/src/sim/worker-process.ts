import type { Digest, WorkerProfile } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import {
  Agent,
  ArtifactError,
  MemoryOutbox,
  Runners,
  SessionToken,
  type ArtifactStore,
  type Log,
  type Runner,
  type RunOutcome,
  type RunRequest,
  type Timers,
  type Transport,
} from '@tidemill/worker/parts';
import type { Process } from './kernel/process.js';
import { MemoryDb, within } from './memory/memory-db.js';
import { AUDIENCE, NETWORK } from './orchestrator-process.js';
import type { WorkerPlan } from './scenario.js';
import { digestOfText } from './segments.js';
import { simulatedSigner } from './signatures.js';
import { Connection } from './socket.js';
import type { Surroundings } from './surroundings.js';

const REFUSED_AFTER_MS = 50;

/** A worker of the simulation: its plan, and what outlives its process. */
export class SimulatedWorker {
  /** The disk. */
  readonly outbox = new MemoryOutbox();
  readonly signer: ReturnType<typeof simulatedSigner>;
  connections: Connection[] = [];

  constructor(
    readonly process: Process,
    readonly plan: WorkerPlan,
    number: number,
  ) {
    this.signer = simulatedSigner(number);
  }
}

/** Starts the real agent on simulated ports. */
export function startWorker(world: Surroundings, worker: SimulatedWorker): void {
  const { process } = worker;
  const timers: Timers = { after: (delayMs, run) => process.after(run, delayMs) };
  const clock = { wallMs: () => process.nowMs(), monotonicMs: () => process.monotonicMs() };
  const runners = new Runners(
    (['noop', 'tfjs'] as const).map((runtime) => ({
      runner: new SimulatedRunner(world, worker, runtime),
      offer: {
        runtime,
        runtimeClass: `${runtime}/1`,
        isolation: 'sandbox',
        isolationDetail: 'simulated',
      },
    })),
  );
  const agent = new Agent(
    {
      clock,
      timers,
      random: world.randomWork.next,
      transport: transportOf(world, worker),
      runners,
      artifacts: artifactsOf(world, worker),
      token: new SessionToken(),
      folders: { make: () => Promise.resolve({ path: '', remove: () => Promise.resolve() }) },
      outbox: worker.outbox,
      signer: worker.signer,
      sha256: nodeSha256,
      log: SILENT,
    },
    {
      expected: { audience: AUDIENCE, network: NETWORK },
      profile: profileOf(process.name, worker.plan),
      isolation: 'sandbox',
      drainGraceMs: 60_000,
    },
  );
  void agent.start();
  // An agent that gave up is started again, as a service manager does.
  void agent.exited.then(() => process.after(() => startWorker(world, worker), 1_000, 'restart'));
}

const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function profileOf(name: string, { slots, ask }: WorkerPlan): WorkerProfile {
  return {
    name,
    capabilities: {
      runtimes: [
        { name: 'noop', class: 'noop/1' },
        { name: 'tfjs', class: 'tfjs/1' },
      ],
      isolation: 'sandbox',
      gpuModel: null,
      region: 'local',
      os: 'linux',
      agent: 'tidemill-simulated',
    },
    resources: { gpuMilli: 0, vramMib: 0, cpuMilli: 8_000, memoryMib: 16_384, diskMib: 16_384 },
    slots,
    asks: { gpuHour: '0', cpuHour: String(ask) },
  };
}

/** Dials one of the orchestrators, as an address with several behind it does. */
function transportOf(world: Surroundings, worker: SimulatedWorker): Transport {
  return {
    open: (events) => {
      const orchestrator = world.randomWork.pick(world.orchestrators);
      const connection = new Connection(
        world.network,
        worker.process,
        orchestrator.process,
        events,
      );
      worker.connections.push(connection);
      orchestrator.connections.push(connection);
      return connection.open(
        () => {
          connection.accepted();
          orchestrator.running?.connect(connection);
        },
        () =>
          worker.process.after(
            () => connection.closeForWorker(1006, 'connection refused'),
            REFUSED_AFTER_MS,
          ),
      );
    },
  };
}

/** Bytes are their digests here; an upload is a request that may be lost. */
function artifactsOf(world: Surroundings, worker: SimulatedWorker): ArtifactStore {
  const db = new MemoryDb(world.database, worker.process);
  return {
    fetch: () => Promise.resolve({ path: '', release: () => undefined }),
    upload: async ({ digest, sizeBytes }) => {
      if (world.randomWork.chance(world.network.faults.loss / 4))
        throw new ArtifactError('OUTPUT_NOT_STORED', 'the upload broke off');
      await within(db, (tx) =>
        tx.statement('upload', () => [`artifacts:${digest}`], () => {
          const { artifacts, grants, workers } = tx.database;
          const own = tx.all(workers).find(({ publicKey }) => publicKey === worker.signer.address);
          if (own === undefined) return;
          tx.put(artifacts, digest, { digest, sizeBytes });
          tx.put(grants, `${digest} worker ${own.id}`, { digest, ownerKind: 'worker', ownerId: own.id, accountId: null });
        }),
      ).catch((cause: unknown) => {
        throw new ArtifactError('OUTPUT_NOT_STORED', 'the upload broke off', { cause });
      }); // prettier-ignore
    },
  };
}

/** Takes its time and gives the result that every honest worker gives, unless its plan says otherwise. */
class SimulatedRunner implements Runner {
  constructor(
    private readonly world: Surroundings,
    private readonly worker: SimulatedWorker,
    readonly runtime: 'noop' | 'tfjs',
  ) {}

  offer = (): ReturnType<Runner['offer']> =>
    Promise.resolve({ ok: false, reason: 'asked already' });

  async run({ payload }: RunRequest, _events: unknown, signal: AbortSignal): Promise<RunOutcome> {
    const { world, worker } = this;
    const { plan, process } = worker;
    const workMs =
      (payload.runtime === 'noop' ? (payload.noop.sleepMs ?? 0) : workMsOf(payload.tfjs)) * plan.slow;
    await new Promise<void>((resolve) => {
      const cancel = process.after(resolve, workMs, 'work');
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    }); // prettier-ignore
    const usage = { wallMs: workMs, cpuMs: 0, maxRssMib: 0 };
    if (signal.aborted) return { state: 'stopped', usage };
    const about = { runtimeClass: `${this.runtime}/1`, usage };
    const failed = (code: 'CHILD_LOST' | 'FAILED_AS_TOLD', fault: 'worker' | 'job'): RunOutcome =>
      ({ state: 'failed', failure: { code, fault, message: 'simulated' }, ...about });
    if (world.randomWork.chance(plan.fails)) return failed('CHILD_LOST', 'worker');
    const invented = world.randomWork.chance(plan.cheats) ? `invented ${world.randomWork.next()}` : '';
    if (payload.runtime === 'noop') {
      if (payload.noop.fail !== undefined && invented === '') return failed('FAILED_AS_TOLD', 'job');
      const commitment = invented === '' ? null : hexOf(digestOfText(invented));
      return { state: 'succeeded', outputs: [], commitment, metrics: {}, ...about };
    }
    const digest = digestOfText(`${JSON.stringify(payload.tfjs)}${invented}`);
    const checkpoint = { name: 'checkpoint.bin', path: '', digest, sizeBytes: 64 };
    return { state: 'succeeded', outputs: [checkpoint], commitment: hexOf(digest), metrics: {}, ...about };
  } // prettier-ignore
}

const workMsOf = (task: { readonly seed?: number } | object): number =>
  'seed' in task && typeof task.seed === 'number' ? task.seed : 0;

const hexOf = (digest: Digest): string => digest.slice('sha256:'.length);
