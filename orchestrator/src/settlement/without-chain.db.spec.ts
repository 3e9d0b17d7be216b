import { afterAll, beforeAll, expect, test } from 'vitest';
import { AccountsService } from '../accounts/accounts.service.js';
import { configFor, startStages, type StageHost } from '../identity/testing/stage-host.js';
import { aWallet, call, login } from '../identity/testing/wallet.js';
import { Config } from '../config/env.js';
import { JoiningService } from './joining.service.js';
import { SealingService } from './sealing.service.js';
import { SettlementModule } from './settlement.module.js';
import { withChain } from './testing/settled-rows.js';

const admin = aWallet();
let host: StageHost;

beforeAll(async () => {
  host = await startStages([SettlementModule], { admins: [admin.address] });
});
afterAll(() => host.stop());

test('a network without a chain has no epochs, and writes nothing of them', async () => {
  expect(await host.app.get(JoiningService).turn()).toBe(false);
  await host.app.get(SealingService).turn();
  const { token } = await login(host, admin);
  expect((await call(host, 'POST', '/v1/admin/epochs/seal', { token })).body.code).toBe('NO_CHAIN');
  expect((await call(host, 'GET', '/v1/epochs')).body).toEqual({ items: [], nextCursor: null });
  expect((await call(host, 'GET', '/v1/epochs/1')).status).toBe(404);
});

test('credit that lies in no vault keeps an orchestrator from starting with a chain', async () => {
  const { env } = withChain([aWallet().address, aWallet().address]);
  const config = configFor(host.app.get(Config).databaseUrl, host.dataDir, [], env);
  const starting = () => new SettlementModule(config, host.db).onModuleInit();
  await starting();
  await host.app.get(AccountsService).credit(aWallet().address, '2', 'gift');
  await expect(starting()).rejects.toThrow('2000000 base units of credit that lie in no vault');
});

test('a chain is set up whole, or not at all', () => {
  const { env } = withChain([aWallet().address, aWallet().address]);
  const { TIDEMILL_SETTLEMENT_PROGRAM: _, ...halved } = env;
  const read = (given: Readonly<Record<string, string>>) => () =>
    configFor(host.app.get(Config).databaseUrl, host.dataDir, [], given);
  expect(read(halved)).toThrow('TIDEMILL_SETTLEMENT_PROGRAM');
  expect(read({ ...env, TIDEMILL_COSIGNER_THRESHOLD: '3' })).toThrow('TIDEMILL_COSIGNERS');
});
