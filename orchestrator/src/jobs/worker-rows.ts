import type { OpenWorker } from '@tidemill/core/scheduler';
import { Capabilities, type WorkerId } from '@tidemill/protocol';
import type { Tx } from '../platform/db/db.js';

export interface WorkerRow {
  readonly id: WorkerId;
  readonly revision: number;
  readonly capabilities: string;
  readonly gpu_milli: number;
  readonly vram_mib: number;
  readonly cpu_milli: number;
  readonly memory_mib: number;
  readonly disk_mib: number;
  readonly slots: number;
  readonly gpu_ask: bigint;
  readonly cpu_ask: bigint;
  readonly operator: string | null;
}

export const WORKER_COLUMNS =
  'id, revision, capabilities, gpu_milli, vram_mib, cpu_milli, memory_mib, disk_mib, slots, gpu_ask, cpu_ask, operator';

/** Parsed capabilities by their text: there are few different ones, and they are read every turn. */
const parsed = new Map<string, Capabilities>();
const MAX_PARSED = 10_000;

function capabilitiesOf(text: string): Capabilities {
  let capabilities = parsed.get(text);
  if (capabilities === undefined) {
    capabilities = Capabilities.parse(JSON.parse(text));
    if (parsed.size >= MAX_PARSED) parsed.clear();
    parsed.set(text, capabilities);
  }
  return capabilities;
}

/** A worker's row as the scheduler sees it, with everything free. */
export function openWorker(row: WorkerRow): OpenWorker {
  const total = {
    gpuMilli: row.gpu_milli,
    vramMib: row.vram_mib,
    cpuMilli: row.cpu_milli,
    memoryMib: row.memory_mib,
    diskMib: row.disk_mib,
  };
  return {
    id: row.id,
    revision: row.revision,
    capabilities: capabilitiesOf(row.capabilities),
    total,
    free: total,
    freeSlots: row.slots,
    gpuAsk: row.gpu_ask,
    cpuAsk: row.cpu_ask,
    operator: row.operator,
  };
}

/** Workers that are online, with all they lend, in order of their ids. */
export async function workersOnline(tx: Tx): Promise<readonly OpenWorker[]> {
  const rows = await tx.query<WorkerRow>(
    `SELECT ${WORKER_COLUMNS} FROM workers WHERE state = 'online' ORDER BY id`,
  );
  return rows.map(openWorker);
}
