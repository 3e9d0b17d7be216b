import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { breakingDoor } from './harness/breaking-door.js';
import { pythonOrReason } from './harness/python.js';
import { type TestNetwork, testNetwork } from './harness/test-network.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const python = pythonOrReason();

describe.runIf(python !== null)('the client in Python', () => {
  let net: TestNetwork;
  beforeAll(async () => {
    net = await testNetwork({ workers: 1 });
  });
  afterAll(() => net.stop());

  const aKey = async () => {
    const { client } = await net.aSubmitter('5');
    const { key } = await client.keys.create({
      name: 'python',
      scopes: ['jobs:read', 'jobs:write', 'artifacts:read', 'artifacts:write', 'account:read'],
    });
    return key;
  };

  /** Runs Python with the client on its path and gives what it printed; rejects with what it complained about. */
  const run = (url: string, key: string, ...args: string[]) =>
    new Promise<string>((resolve, reject) => {
      const env = {
        PATH: process.env['PATH'],
        PYTHONPATH: join(ROOT, 'client', 'python'),
        PYTHONDONTWRITEBYTECODE: '1',
        TIDEMILL_URL: url,
        TIDEMILL_API_KEY: key,
      };
      execFile(python ?? '', args, { env, timeout: 120_000 }, (error, out, err) => {
        if (error === null) resolve(out);
        else reject(new Error(`${out}\n${err}`, { cause: error }));
      });
    });

  test('submits a job with its data, follows it and fetches the model', async () => {
    const folder = join(net.dir, 'model');
    const said = await run(
      net.url,
      await aKey(),
      join(ROOT, 'docs', 'examples', 'submit.py'),
      folder,
    );
    expect(said).toMatch(/^job_\S+ accepted, \d+ base units held\n/);
    expect(said).toMatch(/\ndigits-from-python succeeded for \d+ base units; \d+ left\n$/);
    expect(readdirSync(folder).sort()).toEqual(['checkpoint.bin', 'model.json', 'weights.bin']);
  });

  test('waits as long as it is asked to, submits once, and takes a broken stream up again', async () => {
    const door = await breakingDoor(net.url);
    const script = `
import os
from tidemill import Tidemill
with Tidemill(os.environ["TIDEMILL_URL"], os.environ["TIDEMILL_API_KEY"]) as tidemill:
    spec = {"kind": "batch", "runtime": {"noop": {"sleepMs": 500}}, "verify": "none"}
    job = tidemill.jobs.create(spec)
    print(" ".join(event["cursor"] + "=" + event["type"] for event in tidemill.jobs.events(job["id"])))
    print(len(list(tidemill.jobs.list_all())), tidemill.jobs.wait(job["id"])["state"])
`;
    try {
      const [events = '', end] = (await run(door.url, await aKey(), '-c', script)).split('\n');
      expect(door.broken).toEqual({ refused: 1, cut: 1 });
      const seen = events.split(' ');
      expect(new Set(seen).size).toBe(seen.length);
      for (const type of ['accepted', 'running', 'reported', 'finished'])
        expect(seen.filter((one) => one.endsWith(`=${type}`))).toHaveLength(1);
      expect(end).toBe('1 succeeded');
    } finally {
      await door.close();
    }
  });

  test('raises what was wrong by code, member and next step', async () => {
    const script = `
import os
from tidemill import Tidemill, TidemillError
tidemill = Tidemill(os.environ["TIDEMILL_URL"], os.environ["TIDEMILL_API_KEY"])
def refused(call):
    try:
        call()
    except TidemillError as error:
        print(error.code, error.status, [one["path"] for one in error.errors], bool(error.next))
refused(lambda: tidemill.jobs.create({"kind": "batch", "runtime": {"noop": {"sleepMs": -1}}}))
refused(lambda: tidemill.artifacts.get("sha256:" + "0" * 64))
refused(lambda: Tidemill("http://127.0.0.1:9", "nobody").account())
`;
    const said = (await run(net.url, await aKey(), '-c', script)).trim().split('\n');
    expect(said).toEqual([
      "VALIDATION_FAILED 422 ['body.runtime.noop.sleepMs'] True",
      'NOT_FOUND 404 [] True',
      'UNREACHABLE None [] True',
    ]);
  });
});
