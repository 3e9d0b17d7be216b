import { z } from 'zod';
import type { JobEvent } from '../../sdk/types.js';

const Progress = z.object({
  step: z.number(),
  totalSteps: z.number(),
  metrics: z.record(z.string(), z.number()).catch({}),
  workerId: z.string().optional(),
  attemptId: z.string().optional(),
});
export type Progress = z.infer<typeof Progress>;

const LogText = z.object({ text: z.string(), stream: z.enum(['out', 'err']).catch('out') });
const Named = z.object({
  workerId: z.string().optional(),
  worker: z.string().optional(),
  taskId: z.string().optional(),
  attemptId: z.string().optional(),
  state: z.string().optional(),
  verdict: z.string().optional(),
  reason: z.string().nullish(),
  step: z.number().optional(),
});

/** An event of a job as a person follows it. */
export type Happening =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'log'; readonly text: string; readonly stream: 'out' | 'err' }
  | { readonly kind: 'note'; readonly text: string };

/** Reads an event leniently: members that a newer orchestrator adds or leaves out cost a detail, not the view. */
export function happening(event: JobEvent): Happening {
  if (event.type === 'progress') {
    const progress = Progress.safeParse(event.data);
    if (progress.success) return { kind: 'progress', progress: progress.data };
  }
  if (event.type === 'log') {
    const log = LogText.safeParse(event.data);
    if (log.success) return { kind: 'log', ...log.data };
  }
  return { kind: 'note', text: note(event) };
}

function note({ type, data }: JobEvent): string {
  const named = Named.safeParse(data);
  if (!named.success) return type;
  const { workerId, worker, step, state, verdict, reason } = named.data;
  const parts = [
    state ?? verdict,
    step === undefined ? undefined : `at step ${step}`,
    workerId === undefined ? undefined : `on ${worker ?? workerId}`,
    reason ? `(${reason})` : undefined,
  ].filter((part) => part !== undefined);
  return [type, ...parts].join(' ');
}
