import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { type FakeOrchestrator, fakeOrchestrator, type Handler } from './fake-orchestrator.js';
import { type CliRun, type CliWorld, runCli } from './run-cli.js';

interface CliCase {
  readonly home: string;
  readonly requests: FakeOrchestrator['requests'];
  readonly url: string;
  network(routes: Readonly<Record<string, Handler>>): Promise<void>;
  tidemill(command: string | readonly string[], world?: Partial<CliWorld>): Promise<CliRun>;
}

/** For spec files of the command: a home of its own for each test, and a fake network that ends with it. */
export function cliCase(): CliCase {
  let home = '';
  let fake: FakeOrchestrator | undefined;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tidemill-cli-'));
  });
  afterEach(async () => {
    await fake?.close();
    fake = undefined;
    rmSync(home, { recursive: true });
  });
  return {
    get home() {
      return home;
    },
    get requests() {
      return fake?.requests ?? [];
    },
    get url() {
      return fake?.url ?? '';
    },
    async network(routes: Readonly<Record<string, Handler>>): Promise<void> {
      fake = await fakeOrchestrator(routes);
    },
    /** Runs a command against the network, with an API key unless the environment is given. */
    tidemill(command: string | readonly string[], world: Partial<CliWorld> = {}): Promise<CliRun> {
      const argv = typeof command === 'string' ? command.split(' ') : command;
      const env = {
        TIDEMILL_API_KEY: 'tm_secret',
        TIDEMILL_URL: fake?.url ?? 'http://127.0.0.1:1',
      };
      return runCli(argv, { home, env, ...world });
    },
  };
}
