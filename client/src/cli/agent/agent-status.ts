import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Progress = z.object({ step: z.number(), totalSteps: z.number() });
const Resources = z.object({ cpuMilli: z.number(), memoryMib: z.number(), gpuMilli: z.number() });

/** The part of the agent's own `status.json` that is shown. */
const AgentStatus = z.object({
  state: z.string(),
  name: z.string(),
  publicKey: z.string(),
  workerId: z.string().nullable(),
  orchestrator: z.string(),
  isolation: z.string(),
  isolationDetail: z.string(),
  pid: z.int(),
  startedAt: z.string(),
  updatedAt: z.string(),
  slots: z.object({ offered: z.int(), free: z.int() }),
  resources: z.object({ offered: Resources, free: Resources }),
  outbox: z.int(),
  attempts: z.array(
    z.object({
      attemptId: z.string(),
      jobId: z.string(),
      phase: z.string(),
      elapsedMs: z.number(),
      progress: Progress.nullable(),
    }),
  ),
  totals: z.object({ succeeded: z.int(), failed: z.int(), cancelled: z.int(), stopped: z.int() }),
});
export type AgentStatus = z.infer<typeof AgentStatus>;

/** What the agent last wrote about itself, or null when it never did. */
export function readAgentStatus(stateDir: string): AgentStatus | null {
  try {
    return AgentStatus.parse(JSON.parse(readFileSync(join(stateDir, 'status.json'), 'utf8')));
  } catch {
    return null; // Absent, or of an agent that writes another form.
  }
}
