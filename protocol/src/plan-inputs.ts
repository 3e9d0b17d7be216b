import { z } from 'zod';
import { Hex32 } from './digest.js';
import { TaskId, WorkerId } from './ids.js';
import { BaseUnits } from './money.js';
import { Capabilities, ISOLATION_LEVELS, Resources } from './resources.js';

const count = z.int().min(0);
/** Room may be negative: a worker that offers less than before keeps what it runs. */
const room = z.int();

/** What a worker is, apart from its id and its room; many workers share one. */
export const WorkerKind = z.strictObject({
  capabilities: Capabilities,
  total: Resources,
  gpuAsk: BaseUnits,
  cpuAsk: BaseUnits,
});
export type WorkerKind = z.infer<typeof WorkerKind>;

/** What many tasks ask for alike. */
const TaskKind = z.strictObject({
  priority: z.int(),
  needs: z.strictObject({
    runtime: z.enum(['noop', 'tfjs']),
    resources: Resources,
    gpuModels: z.array(z.string()),
    isolation: z.enum(ISOLATION_LEVELS),
  }),
  maxGpuAsk: BaseUnits.nullable(),
  maxCpuAsk: BaseUnits.nullable(),
});

/**
 * What one turn of the scheduler decided on, so that anybody can decide again: every worker that was online, and the tasks that were
 * placed. Those that were not placed leave no mark on the others. Rows are short, since there is one of these for every turn.
 */
export const PlanInputs = z.strictObject({
  format: z.literal('tidemill/plan-inputs/1'),
  policy: z.string(),
  /** SHA-256 of the texts of the kinds of workers, hex. */
  workerKinds: z.array(Hex32),
  /** id, revision, its kind, then what is free: GPU and CPU in thousandths, MiB of VRAM between them, of memory and disk, slots; whose machine it is. */
  workers: z.array(
    z.tuple([WorkerId, count, count, room, room, room, room, room, room, z.string().nullable()]),
  ),
  taskKinds: z.array(TaskKind),
  /** id, fence, its kind, family, runtime class, workers it may not go to, the one it prefers, operators it may not go to. */
  tasks: z.array(
    z.tuple([
      TaskId,
      count,
      count,
      z.string().nullable(),
      z.string().nullable(),
      z.array(WorkerId),
      WorkerId.nullable(),
      z.array(z.string()),
    ]),
  ),
});
export type PlanInputs = z.infer<typeof PlanInputs>;

/** The inputs of a decision as they are kept: the exact text whose digest the decision names, and the texts it refers to. */
export const DecisionInputsView = z
  .object({ digest: Hex32, text: z.string(), workerKinds: z.array(z.string()) })
  .meta({ id: 'DecisionInputs' });
export type DecisionInputsView = z.infer<typeof DecisionInputsView>;
