import { z } from 'zod';
import type { JobEvent } from '../../sdk/types.js';
import { tokens } from '../output/quantities.js';

const Progress = z.object({
  step: z.number(),
  totalSteps: z.number(),
  metrics: z.record(z.string(), z.number()).catch({}),
});
export type Progress = z.infer<typeof Progress>;

const LogText = z.object({ text: z.string(), stream: z.enum(['out', 'err']).catch('out') });

const text = z.string().nullish();
const Facts = z.object({
  worker: text,
  number: z.number().nullish(),
  state: text,
  verdict: text,
  reason: text,
  code: text,
  message: text,
  step: z.number().nullish(),
  hold: text,
  price: text,
});

/** An event of a job as a person follows it. */
export type Happening =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'log'; readonly text: string; readonly stream: 'out' | 'err' }
  | { readonly kind: 'note'; readonly text: string };

/** Reads an event leniently: members that a newer orchestrator adds or leaves out cost a detail, not the view. */
export function happening({ type, data }: Pick<JobEvent, 'type' | 'data'>): Happening {
  if (type === 'progress') {
    const progress = Progress.safeParse(data);
    if (progress.success) return { kind: 'progress', progress: progress.data };
  }
  if (type === 'log') {
    const log = LogText.safeParse(data);
    if (log.success) return { kind: 'log', ...log.data };
  }
  const facts = Facts.safeParse(data);
  return { kind: 'note', text: facts.success ? note(type, facts.data) : type };
}

function note(type: JobEvent['type'], facts: z.infer<typeof Facts>): string {
  const { worker, number, state, verdict, reason, code, message, step, hold, price } = facts;
  const why = reason ?? message ?? code;
  const parts = [
    type === 'leased' && number ? `attempt ${number}` : null,
    worker ? `${type === 'reported' || type === 'lost' ? 'by' : 'on'} ${worker}` : null,
    verdict ?? (type === 'finished' || type === 'requeued' ? state : null),
    typeof step === 'number' ? `at step ${step}` : null,
    isAmount(hold) ? `with ${tokens(hold)} held` : null,
    isAmount(price) ? tokens(price) : null,
    why ? `(${why})` : null,
  ];
  return [type, ...parts.filter((part) => part)].join(' ');
}

const isAmount = (value: string | null | undefined): value is string =>
  /^-?\d{1,19}$/.test(value ?? '');
