import { join } from 'node:path';
import type { World } from '../world.js';

/** Where to look, and what to type, while the network runs on. */
export async function whereNext(world: World, keeps: boolean): Promise<void> {
  const { stage, network, place } = world;
  stage.heading(keeps ? 'The network runs on' : 'Where to look next');
  if (!keeps) {
    stage.line('   npm run demo -- --keep     the same, and the network stays');
    stage.line('   ./tidemill --help          what the command can do');
    return;
  }
  const { url, dir } = network;
  stage.fact('what it can do', `${url}/docs`);
  stage.fact('metrics', `${url}/metrics`);
  stage.fact('logs', join(dir, 'logs'));
  stage.fact('your wallet', join(dir, 'keys', 'submitter.json'));
  stage.fact('your API key', await apiKey(world));
  stage.line('\n   In another terminal, in this folder:\n');
  for (const line of [
    `export TIDEMILL_URL=${url} TIDEMILL_API_KEY=…  (the key above)`,
    './tidemill jobs',
    './tidemill workers',
    './tidemill run --noop 2s',
    './tidemill verify trail',
    `./tidemill verify payout --rpc ${place.rpcUrl}`,
    './tidemill worker join --name mine',
  ])
    stage.line(`   ${line}`);
  stage.line('\n   Ctrl-C stops all of it.');
}

/** A key with what it takes to submit jobs and to fetch what they made. */
async function apiKey({ submitter }: World): Promise<string> {
  const { key } = await submitter.keys.create({
    name: 'demo',
    scopes: ['jobs:read', 'jobs:write', 'artifacts:read', 'artifacts:write', 'account:read'],
  });
  return key;
}
