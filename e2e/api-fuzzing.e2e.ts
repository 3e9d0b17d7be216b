import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Http } from './harness/http.js';
import { type Orchestrator, startOrchestrator } from './harness/orchestrator.js';
import { pythonOrReason } from './harness/python.js';
import { ScriptedWorker } from './harness/scripted-worker.js';
import { operator } from './harness/submitter.js';

const python = pythonOrReason();
const isLong = process.env['TIDEMILL_TEST_LONG'] === '1';
/** What is made up for each operation beside the cases that its description names, and how many requests that makes at least. */
const EXAMPLES = isLong ? 1_200 : 60;
const AT_LEAST = isLong ? 50_000 : 5_000;
/** A quiet machine takes a fifth of it. */
const DEADLINE_MS = isLong ? 5_400_000 : 280_000;
/** The same cases each time, and others in each long run. */
const SEED = isLong ? String(Date.now() % 1_000_000) : '7';

const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'use_after_free',
];

interface Report {
  readonly complete: boolean;
  readonly operations: { readonly selected: number; readonly tested: number };
  readonly phases: Readonly<Record<string, { readonly status: string }>>;
  readonly test_cases: { readonly generated: number; readonly with_failures: number };
}
interface Run {
  readonly said: string;
  readonly report: Report;
}

describe.runIf(python !== null)(
  'the API, asked what its description allows and what it does not',
  () => {
    let orchestrator: Orchestrator;
    let worker: ScriptedWorker;
    let token: string;
    let dir: string;

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'tidemill-fuzzing-'));
      orchestrator = await startOrchestrator({ env: { TIDEMILL_REQUESTS_PER_SECOND: '1000000' } });
      // The operator may ask everything, and has the means to submit.
      const admin = await operator(orchestrator);
      token = admin.token ?? '';
      const credit = { wallet: orchestrator.admin.address, amount: '1000000', ref: 'fuzzing' };
      expect((await admin.post('/v1/admin/credit', credit)).status).toBe(201);
      worker = await ScriptedWorker.join(orchestrator, 'fuzzing');
      worker.serve();
    });
    afterAll(async () => {
      worker.drop();
      expect(await orchestrator.stop()).toEqual([]);
      await rm(dir, { recursive: true, force: true });
    });

    /** Asks the API as a description of it says. */
    async function fuzz(description: string, options: readonly string[]): Promise<Run> {
      const report = join(dir, 'report.json');
      const args = [
        ...['run', description, '--url', orchestrator.url],
        ...['--header', `Authorization: Bearer ${token}`, '--checks', CHECKS.join(',')],
        ...['--seed', SEED, '--no-color', '--generation-database', 'none'],
        ...['--report', 'json', '--report-json-path', report, ...options],
      ];
      await rm(report, { force: true }); // a run that breaks off must not leave that of the one before
      const said = await schemathesis(args, dir);
      return { said, report: JSON.parse(await readFile(report, 'utf8')) as Report };
    }

    test('answers as described, and never with a fault of its own', async ({ annotate }) => {
      const { said, report } = await fuzz(`${orchestrator.url}/openapi.json`, [
        ...['--max-examples', String(EXAMPLES), '--continue-on-failure', '--no-shrink'],
        // A stream that is let in does not end by itself; the tests of events hold it to its form.
        ...['--exclude-operation-id', 'streamJobEvents'],
      ]);
      expect(report.test_cases.with_failures, said.slice(-8_000)).toBe(0);
      expect(report.complete).toBe(true);
      expect(report.operations.tested).toBe(report.operations.selected);
      for (const phase of ['coverage', 'fuzzing', 'stateful'])
        expect([phase, report.phases[phase]?.status]).toEqual([phase, 'success']);
      expect(report.test_cases.generated).toBeGreaterThan(AT_LEAST);
      await annotate(`${report.test_cases.generated} requests (5,000 asked)`, 'T7');

      const { body } = await new Http(orchestrator.url).get<string>('/metrics');
      expect(body).toMatch(/tidemill_http_requests_total\{[^}]*status="2\d\d"\} [1-9]/);
      expect(body).not.toMatch(/tidemill_http_requests_total\{[^}]*status="5\d\d"\}/);
    });

    test('and an answer that is not as described is found', async () => {
      const { body } = await new Http(orchestrator.url).get<{
        paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      }>('/openapi.json');
      const account = body.paths['/v1/account']?.['get'];
      expect(account?.responses).toHaveProperty('200');
      // Described as text, though it is an account; and an answer that is not described at all.
      const lies: Record<string, unknown>[] = [
        {
          '200': {
            description: '',
            content: { 'application/json': { schema: { type: 'string' } } },
          },
        },
        { '204': { description: '' } },
      ];
      for (const responses of lies) {
        const paths = { '/v1/account': { get: { ...account, responses } } };
        const file = join(dir, 'lies.json');
        await writeFile(file, JSON.stringify({ ...body, paths }));
        const { report } = await fuzz(file, ['--phases', 'fuzzing', '--max-examples', '5']);
        expect(report.test_cases.with_failures).toBeGreaterThan(0);
      }
    });
  },
);

/** What it said, whether or not it found something. */
function schemathesis(args: readonly string[], cwd: string): Promise<string> {
  const program = join(dirname(python ?? ''), 'schemathesis');
  const options = { cwd, timeout: DEADLINE_MS, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(program, args, options, (_cause, out, err) => resolve(out + err));
  });
}
