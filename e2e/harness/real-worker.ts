import { join } from 'node:path';
import type { WorkerView } from '@tidemill/protocol';
import { appMain, type RunningProcess, startProcess } from '@tidemill/localnet';
import { eventually } from './eventually.js';
import { Http } from './http.js';
import type { Orchestrator } from './orchestrator.js';

export interface RealWorker {
  readonly id: string;
  readonly process: RunningProcess;
  readonly stateDir: string;
}

/** A worker as an operator starts one: the built agent in a process of its own. Settled once it is online. */
export async function realWorker(
  orchestrator: Pick<Orchestrator, 'url' | 'dir'>,
  name: string,
  flags: Readonly<Record<string, string>> = {},
): Promise<RealWorker> {
  const stateDir = join(orchestrator.dir, 'workers', name);
  const settings: Record<string, string> = {
    orchestrator: orchestrator.url,
    'state-dir': stateDir,
    name,
    'cpu-millis': '1000',
    'memory-mib': '2048',
    slots: '4',
    'ask-cpu-hour': '36',
    'drain-grace': '2',
    ...flags,
  };
  const running = await startProcess({
    name,
    command: process.execPath,
    args: [
      appMain('@tidemill/worker'),
      ...Object.entries(settings).flatMap(([flag, value]) => [`--${flag}`, value]),
    ],
    logFile: join(orchestrator.dir, `${name}.log`),
    readyWhen: { line: /joined/ },
  });
  const http = new Http(orchestrator.url);
  const worker = await eventually(`${name} is online`, async () => {
    const { body } = await http.get<{ items: WorkerView[] }>('/v1/workers?state=online&limit=200');
    return body.items.find((one) => one.name === name);
  });
  return { id: worker.id, process: running, stateDir };
}
