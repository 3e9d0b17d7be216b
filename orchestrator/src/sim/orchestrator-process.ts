import type { Logger } from 'pino';
import type { IncomingMessage } from 'node:http';
import type { ArtifactStore } from '../artifacts/artifact.store.js';
import { ArtifactsService } from '../artifacts/artifacts.service.js';
import type { IntakeService } from '../artifacts/intake.service.js';
import { DEFAULT_LIMITS } from '../artifacts/limits.js';
import type { Config } from '../config/env.js';
import { FleetService } from '../fleet/fleet.service.js';
import { Activations } from '../gateway/activations.js';
import { Admission } from '../gateway/admission.js';
import { Dispatch } from '../gateway/dispatch.js';
import { Handshake } from '../gateway/handshake.js';
import { Inbound } from '../gateway/inbound.js';
import { ReportsStore } from '../gateway/reports.store.js';
import { Sessions } from '../gateway/sessions.js';
import { WorkerGateway } from '../gateway/worker.gateway.js';
import type { Suspensions } from '../gateway/suspensions.js';
import { WorkerTokens } from '../gateway/worker-tokens.js';
import { Acceptance } from '../jobs/acceptance.js';
import { Drafter } from '../jobs/drafter.js';
import { JobsLoop } from '../jobs/jobs.loop.js';
import { JobsService } from '../jobs/jobs.service.js';
import { Market } from '../jobs/market.js';
import { QueueLimits } from '../jobs/queue-limits.js';
import { LedgerLoop } from '../ledger/ledger.loop.js';
import { LedgerService } from '../ledger/ledger.service.js';
import { ReleaseService } from '../ledger/release.service.js';
import { Authenticators } from '../platform/http/caller.js';
import { Peers } from '../platform/limits/peers.js';
import { Loops, type LoopHandle, type LoopOptions } from '../platform/loop.js';
import type { Telemetry } from '../platform/telemetry/telemetry.js';
import { ReceiptsService } from '../receipts/receipts.service.js';
import { LeasesService } from '../scheduling/leases.service.js';
import { SchedulingLoop } from '../scheduling/scheduling.loop.js';
import { SEQUENCER_EVERY_MS, SequencerLoop } from '../trail/sequencer.loop.js';
import { OutputRights } from '../verification/output-rights.js';
import { VerificationLoop } from '../verification/verification.loop.js';
import { VerificationService } from '../verification/verification.service.js';
import { Waivers } from '../verification/waivers.js';
import type { Process } from './kernel/process.js';
import { NoBudgets } from './memory/memory-budgets.store.js';
import { MemoryGrantsStore } from './memory/memory-grants.store.js';
import { Absences } from '../platform/http/absences.js';
import { MemoryJobViews } from './memory/memory-job-views.js';
import { MemoryWakeups } from './memory/memory-platform.js';
import { MemorySequencer } from './memory/memory-sequencer.js';
import { MemorySnapshots } from './memory/memory-snapshots.store.js';
import type { Parts } from './parts.js';
import { SegmentDrafter } from './segments.js';
import { SeededIds } from './seeded-ids.js';
import { simulatedSigner, verifySimulated } from './signatures.js';
import type { RunningOrchestrator, Surroundings } from './surroundings.js';

export const NETWORK = 'simulation';
export const AUDIENCE = 'orchestrator.simulated';
const OPERATOR_KEY = 100;

/** Metrics go nowhere. */
const silence = { inc: () => undefined, set: () => undefined, observe: () => undefined };
const telemetry = new Proxy({}, { get: () => silence }) as unknown as Telemetry;

const noIntake = {} as unknown as IntakeService; // only reached by jobs with files
const nobodySuspended = {} as unknown as Suspensions; // only reached by a token that is checked
const noBytes = {} as unknown as ArtifactStore; // only reached by uploads and downloads

/** What workers say of running attempts decides nothing, and nobody looks at it here. */
class ForgottenReports extends ReportsStore {
  progress = (): Promise<void> => Promise.resolve();
  logs = (): Promise<void> => Promise.resolve();
  checkpoints = (): Promise<void> => Promise.resolve();
}

/** Loops that look for work by themselves less often, so that it matters whether they are woken. */
class RarerLoops extends Loops {
  constructor(
    private readonly times: number,
    ...parts: ConstructorParameters<typeof Loops>
  ) {
    super(...parts);
  }

  override add(options: LoopOptions): LoopHandle {
    return super.add({ ...options, everyMs: options.everyMs * this.times });
  }
}

/** Looks at each key once: all simulations of a run have the same workers' keys, and the curve takes its time. */
class KnowingFleet extends FleetService {
  private static readonly sound = new Set<string>();

  protected override refuseUnsound(publicKey: string): void {
    if (KnowingFleet.sound.has(publicKey)) return;
    super.refuseUnsound(publicKey);
    KnowingFleet.sound.add(publicKey);
  }
}

/** Builds the stages as the modules do, in their order, on memory, and starts their loops. */
export function startOrchestrator(
  world: Surroundings,
  clock: Process,
  parts: Parts,
): RunningOrchestrator {
  const { scenario, database } = world;
  const config = configOf(scenario.auditRatePpm, scenario.release);
  const log = world.logOf(clock) as unknown as Logger; // the methods that the stages call
  const signer = simulatedSigner(OPERATOR_KEY);
  const ids = new SeededIds(clock, world.randomIds);
  const db = parts.db(database, clock);
  const loops = new RarerLoops(scenario.rarerSweeps, clock, log, telemetry);
  const wakeups = new MemoryWakeups((channels) => world.wake(channels));
  const cursors = parts.cursors(db);

  const trail = parts.trail(clock, db);
  const sequencing = new SequencerLoop(new MemorySequencer(db), clock, telemetry, log);
  loops.add({
    name: 'trail-sequencer',
    everyMs: SEQUENCER_EVERY_MS,
    turn: () => sequencing.turn(),
  });
  const book = parts.book(db);
  const budgets = new NoBudgets();
  const artifacts = new ArtifactsService(new MemoryGrantsStore(db), noBytes, clock, DEFAULT_LIMITS);

  const jobsStore = parts.jobs();
  const market = new Market(db, jobsStore, clock);
  const segments = new SegmentDrafter(artifacts, noIntake, signer);
  const drafter = new Drafter(config, clock, market, segments);
  const limits = new QueueLimits(db, jobsStore, loops, telemetry);
  const views = new MemoryJobViews(db, new Absences(config, clock));
  const acceptance = new Acceptance(db, jobsStore, drafter, book, budgets, trail, limits, ids, wakeups, telemetry); // prettier-ignore
  const jobs = new JobsService(db, jobsStore, acceptance, trail, views, clock, wakeups, telemetry);
  new JobsLoop(db, jobsStore, jobs, loops);

  const fleet = new KnowingFleet(db, parts.fleet(clock), trail, ids, wakeups, loops);
  const leases = new LeasesService(
    db, parts.leases(), jobs, artifacts, trail, ids, wakeups, telemetry, clock,
  ); // prettier-ignore
  new SchedulingLoop(new MemorySnapshots(db), leases, clock, loops, wakeups);

  const sessions = new Sessions(telemetry);
  const activations = new Activations(leases, sessions, clock, log);
  new Dispatch(sessions, leases, activations, fleet, clock, db, wakeups, log, loops);
  const inbound = new Inbound(fleet, leases, activations, new ForgottenReports(), telemetry);
  const gateway = new WorkerGateway(
    new Admission(clock),
    sessions,
    new Handshake(config, clock, verifySimulated),
    inbound,
    activations,
    fleet,
    leases,
    new WorkerTokens(signer, clock, new Authenticators(), nobodySuspended),
    ids,
    clock,
    new Peers([]),
    telemetry,
    log,
  );

  const receiptsStore = parts.receipts();
  new ReceiptsService(
    config, clock, db, receiptsStore, leases, artifacts, trail, wakeups, telemetry, verifySimulated, inbound,
  ); // prettier-ignore
  const verdicts = parts.verdicts();
  const rights = new OutputRights(verdicts, artifacts);
  const verification = new VerificationService(
    db, cursors, verdicts, receiptsStore, rights, jobs, trail, ids, wakeups, telemetry, signer,
  ); // prettier-ignore
  const waivers = new Waivers(db, cursors, verdicts, verification, trail, clock);
  new VerificationLoop(verification, waivers, loops, wakeups);

  const billing = parts.billing();
  const ledger = new LedgerService(config, db, cursors, billing, book, budgets, trail, wakeups, telemetry); // prettier-ignore
  new LedgerLoop(config, ledger, new ReleaseService(db, billing, book), loops, wakeups);

  loops.onApplicationBootstrap();
  return {
    jobs,
    wakeups,
    connect: (connection) => {
      const request = { socket: { remoteAddress: connection.worker.name }, headers: {} };
      gateway.handleConnection(connection.webSocket, request as unknown as IncomingMessage); // all that is asked of it
    },
  };
}

function configOf(auditRatePpm: number, release: Config['release']): Config {
  return {
    databaseUrl: '',
    databasePool: 0,
    host: '',
    port: 0,
    network: NETWORK,
    audience: AUDIENCE,
    dataDir: '',
    keyFile: '',
    adminWallets: [],
    release,
    auditRatePpm,
    feeBps: 500,
    logLevel: 'silent',
    webhookTargets: 'public',
    trustedProxies: [],
    corsOrigins: [],
    requestsPerSecond: 1,
    keepJobsMs: Number.MAX_SAFE_INTEGER,
    keepLogsMs: Number.MAX_SAFE_INTEGER,
    settlement: null,
    chain: null,
    faultPoint: null,
  };
}
