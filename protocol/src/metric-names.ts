/** Name, type, labels and help of every metric; code and dashboards read them from here, so a typo cannot compile. */
interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export const NETWORK_METRICS = {
  tidemill_http_requests_total: {
    type: 'counter',
    labels: ['method', 'route', 'status'],
    help: 'HTTP requests answered.',
  },
  tidemill_jobs_accepted_total: { type: 'counter', labels: ['kind'], help: 'Jobs accepted.' },
  tidemill_jobs_finished_total: {
    type: 'counter',
    labels: ['state'],
    help: 'Jobs that reached a final state.',
  },
  tidemill_tasks_queued: { type: 'gauge', labels: [], help: 'Tasks waiting for a worker.' },
  tidemill_placements_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Placements decided, by what became of them.',
  },
  tidemill_workers_connected: {
    type: 'gauge',
    labels: [],
    help: 'Workers with an authenticated socket on this orchestrator.',
  },
  tidemill_heartbeats_total: { type: 'counter', labels: [], help: 'Heartbeats received.' },
  tidemill_sockets_closed_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Worker sockets closed, by reason.',
  },
  tidemill_leases_ended_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Leases that ended, by reason.',
  },
  tidemill_receipts_total: {
    type: 'counter',
    labels: ['outcome'],
    help: 'Receipts taken, by what became of them.',
  },
  tidemill_verdicts_total: { type: 'counter', labels: ['verdict'], help: 'Verdicts given.' },
  tidemill_ledger_entries_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Ledger entries booked.',
  },
  tidemill_trail_unplaced_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Age of the oldest trail event without a place.',
  },
  tidemill_trail_events_total: { type: 'counter', labels: [], help: 'Trail events given a place.' },
  tidemill_loop_turn_seconds: {
    type: 'histogram',
    labels: ['loop'],
    help: 'Duration of one turn of a stage.',
  },
  tidemill_loop_failures_total: { type: 'counter', labels: ['loop'], help: 'Turns that failed.' },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof NETWORK_METRICS;
