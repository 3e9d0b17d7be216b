import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { appMain } from '@tidemill/localnet';

/** The points at which an orchestrator can be told to end itself: the list that its build has, not a copy of it. */
export async function faultPoints(): Promise<readonly string[]> {
  const file = join(dirname(appMain('@tidemill/orchestrator')), 'platform', 'fault-points.js');
  const built = (await import(pathToFileURL(file).href)) as { FAULT_POINTS: readonly string[] };
  return built.FAULT_POINTS;
}
