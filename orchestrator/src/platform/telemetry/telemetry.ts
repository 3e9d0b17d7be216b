import { NETWORK_METRICS, type MetricName } from '@tidemill/protocol';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The process's metrics. Names, labels and help come from the protocol, so dashboards cannot drift from them. */
export class Telemetry {
  readonly registry = new Registry();
  readonly httpRequests = this.counter('tidemill_http_requests_total');
  readonly jobsAccepted = this.counter('tidemill_jobs_accepted_total');
  readonly jobsFinished = this.counter('tidemill_jobs_finished_total');
  readonly tasksQueued = this.gauge('tidemill_tasks_queued');
  readonly placements = this.counter('tidemill_placements_total');
  readonly workersConnected = this.gauge('tidemill_workers_connected');
  readonly heartbeats = this.counter('tidemill_heartbeats_total');
  readonly socketsClosed = this.counter('tidemill_sockets_closed_total');
  readonly leasesEnded = this.counter('tidemill_leases_ended_total');
  readonly receipts = this.counter('tidemill_receipts_total');
  readonly verdicts = this.counter('tidemill_verdicts_total');
  readonly ledgerEntries = this.counter('tidemill_ledger_entries_total');
  readonly trailUnplaced = this.gauge('tidemill_trail_unplaced_seconds');
  readonly trailEvents = this.counter('tidemill_trail_events_total');
  readonly loopTurns = this.histogram('tidemill_loop_turn_seconds');
  readonly loopFailures = this.counter('tidemill_loop_failures_total');

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  private counter(name: MetricName): Counter {
    return new Counter({ ...this.describe(name), registers: [this.registry] });
  }

  private gauge(name: MetricName): Gauge {
    return new Gauge({ ...this.describe(name), registers: [this.registry] });
  }

  private histogram(name: MetricName): Histogram {
    return new Histogram({ ...this.describe(name), buckets: SECONDS, registers: [this.registry] });
  }

  private describe(name: MetricName) {
    return {
      name,
      help: NETWORK_METRICS[name].help,
      labelNames: [...NETWORK_METRICS[name].labels],
    };
  }
}
