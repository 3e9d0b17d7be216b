import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tidemill } from '@tidemill/client';
import { type Network, type NetworkOptions, startNetwork } from '@tidemill/localnet';
import { testDatabase } from '@tidemill/localnet/testing';
import { createKeyFile, loadSigner } from '@tidemill/protocol/node';

/** A network for one test file, on a database of its own, and somebody in it who can pay. */
export interface TestNetwork {
  readonly network: Network;
  readonly url: string;
  /** A folder that ends with the network. */
  readonly dir: string;
  readonly admin: Tidemill;
  /** A new submitter with so many tokens, in a folder of its own that serves as the home of commands. */
  aSubmitter(tokens: string): Promise<{ home: string; keyFile: string; client: Tidemill }>;
  stop(): Promise<void>;
}

export async function testNetwork(
  options: Pick<NetworkOptions, 'workers'> & Partial<NetworkOptions>,
): Promise<TestNetwork> {
  const dir = mkdtempSync(join(tmpdir(), 'tidemill-e2e-'));
  const database = await testDatabase();
  const network = await startNetwork({
    dir,
    databaseUrl: database.url,
    ...options,
    // An audit drawn by chance waits a minute for a second worker, which most networks here do not have.
    orchestratorEnv: { TIDEMILL_AUDIT_RATE: '0', ...options.orchestratorEnv },
  });
  const { url } = network;
  const admin = new Tidemill({ url, signer: loadSigner(network.adminKeyFile) });
  let submitters = 0;
  return {
    network,
    url,
    dir,
    admin,
    aSubmitter: async (tokens) => {
      submitters += 1;
      const home = mkdtempSync(join(dir, `home-${submitters}-`));
      const keyFile = join(home, 'key.json');
      const signer = createKeyFile(keyFile);
      await admin.admin.credit(signer.address, tokens, `e2e-${submitters}`);
      return { home, keyFile, client: new Tidemill({ url, signer }) };
    },
    stop: async () => {
      await network.stop();
      await database.drop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
