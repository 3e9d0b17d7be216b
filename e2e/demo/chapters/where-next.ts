import { join } from 'node:path';
import type { World } from '../world.js';

/** Where to look, and what to type, while the network runs on. */
export function whereNext({ stage, network }: World, keeps: boolean): void {
  const { url, dir } = network;
  stage.heading(keeps ? 'The network runs on' : 'Where to look next');
  const tidemill = 'node client/dist/cli/main.js';
  const lines = keeps
    ? [
        `export TIDEMILL_URL=${url}`,
        `${tidemill} login --key ${join(dir, 'keys', 'submitter.json')}`,
        `${tidemill} jobs`,
        `${tidemill} workers`,
        `${tidemill} run --noop 2s`,
        `${tidemill} verify trail`,
        `curl -s ${url}/v1/workers`,
      ]
    : ['npm run demo -- --keep     the same, and the network stays', `${tidemill} --help`];
  for (const line of lines) stage.line(`   ${line}`);
  if (keeps) {
    stage.fact('logs', join(dir, 'logs'));
    stage.line('\n   Ctrl-C stops all of it.');
  }
}
