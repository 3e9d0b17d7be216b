import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { AgentSnapshot } from './status/snapshot.js';

/** The worker's own metrics: name, help and how to read the value from a snapshot. No ids: labels stay few. */
const GAUGES = {
  tidemill_worker_connected: [
    '1 while a session with the orchestrator is open.',
    (s) => Number(s.isConnected),
  ],
  tidemill_worker_draining: [
    '1 while no new attempts are taken.',
    (s) => Number(s.state === 'draining'),
  ],
  tidemill_worker_attempts: ['Attempts held or being stopped.', (s) => s.attempts.length],
  tidemill_worker_slots_free: ['Attempts that could be taken besides.', (s) => s.slots.free],
  tidemill_worker_outbox_receipts: ['Receipts that are not acknowledged.', (s) => s.outbox],
  tidemill_worker_acknowledgement_age_seconds: [
    'Time since the orchestrator was last heard.',
    (s) => (s.lastAcknowledgementMs ?? 0) / 1_000,
  ],
} as const satisfies Record<string, Reading>;

const COUNTERS = {
  tidemill_worker_attempts_accepted_total: ['Attempts accepted.', (s) => s.totals.accepted],
  tidemill_worker_offers_refused_total: ['Offers refused.', (s) => s.totals.refused],
  tidemill_worker_attempts_succeeded_total: [
    'Attempts that ended with success.',
    (s) => s.totals.succeeded,
  ],
  tidemill_worker_attempts_failed_total: [
    'Attempts that ended with failure.',
    (s) => s.totals.failed,
  ],
  tidemill_worker_attempts_cancelled_total: [
    'Attempts ended by the orchestrator.',
    (s) => s.totals.cancelled,
  ],
  tidemill_worker_attempts_stopped_total: [
    'Attempts this agent had to stop.',
    (s) => s.totals.stopped,
  ],
  tidemill_worker_receipts_acknowledged_total: [
    'Receipts acknowledged.',
    (s) => s.totals.receiptsAcknowledged,
  ],
  tidemill_worker_sessions_total: ['Sessions begun.', (s) => s.totals.sessions],
  tidemill_worker_billable_seconds_total: [
    'Time measured for receipts.',
    (s) => s.totals.billableMs / 1_000,
  ],
} as const satisfies Record<string, Reading>;

type Reading = readonly [help: string, read: (snapshot: AgentSnapshot) => number];

/** A registry whose values are those of the snapshot at the moment they are scraped. */
export function workerRegistry(snapshot: () => AgentSnapshot): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const [name, [help, read]] of Object.entries<Reading>(GAUGES)) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(snapshot()));
      },
    });
  }
  for (const [name, [help, read]] of Object.entries<Reading>(COUNTERS)) {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        // The agent counts; a counter here only repeats its total.
        this.reset();
        this.inc(read(snapshot()));
      },
    });
  }
  return registry;
}
