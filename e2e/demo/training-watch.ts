import type { StreamedEvent } from '@tidemill/client';

/** What the demo knows of the training at one moment. */
export interface Watched {
  readonly step: number;
  readonly totalSteps: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** The attempt that makes progress, and its worker. */
  readonly attempt: string;
  readonly task: string;
  readonly worker: string;
}

/**
 * Follows the attempts that move a job on. Copies that only check a result say how far they are as well, but they are not the
 * training; they are told apart by the tasks of the job.
 */
export class TrainingWatch {
  private readonly attempts = new Map<string, { task: string; worker: string }>();

  constructor(private readonly primaryTasks: ReadonlySet<string>) {}

  /** Takes one event; the state after it when it moved the training, else null. */
  take({ type, data }: StreamedEvent): Watched | null {
    const attempt = textOf(data['attempt']);
    if (type === 'leased') {
      this.attempts.set(attempt, { task: textOf(data['task']), worker: textOf(data['worker']) });
      return null;
    }
    const known = this.attempts.get(attempt);
    if (type !== 'progress' || known === undefined || !this.primaryTasks.has(known.task))
      return null;
    const metrics = Object.fromEntries(
      Object.entries(data['metrics'] ?? {}).filter(
        (entry): entry is [string, number] => typeof entry[1] === 'number',
      ),
    );
    return {
      step: Number(data['step']),
      totalSteps: Number(data['totalSteps']),
      metrics,
      attempt,
      ...known,
    };
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
