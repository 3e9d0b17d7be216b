import { join } from 'node:path';
import type { IsolationLevel } from '@tidemill/protocol';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { buildWorker } from '../testing/build.js';
import { codeMounts } from '../tfjs/code-mounts.js';
import { detectSandbox } from './detect.js';
import type { ProbeReport } from './probe/report.js';
import type { Sandbox } from './sandbox.js';
import { type ProbeCode, selfTest, weakness } from './self-test.js';
import { NamespacesSandbox, ProcessSandbox } from './weaker.js';

// Each test starts processes, and other tests share the machine.
vi.setConfig({ testTimeout: 120_000 });

const SOUND: ProbeReport = {
  uid: 65534,
  capabilities: '0000000000000000',
  noNewPrivileges: true,
  hasFilter: true,
  interfaces: ['lo'],
  processes: 2,
  canReadSecret: false,
  canWrite: false,
};

describe('a report from inside', () => {
  test('that is sound passes at every level', () => {
    for (const level of ['sandbox', 'namespaces', 'process'] as const)
      expect(weakness(SOUND, level)).toBeNull();
  });

  test.each([
    ['root', { uid: 0 }, 'process'],
    ['a capability', { capabilities: '0000000000200000' }, 'process'],
    ['a network', { interfaces: ['lo', 'eth0'] }, 'namespaces'],
    ['other processes', { processes: 90 }, 'namespaces'],
    ['files of the machine', { canReadSecret: true }, 'sandbox'],
    ['a place to write', { canWrite: true }, 'sandbox'],
    ['new privileges', { noNewPrivileges: false }, 'sandbox'],
    ['no filter', { hasFilter: false }, 'sandbox'],
  ] satisfies [string, Partial<ProbeReport>, IsolationLevel][])(
    'that shows %s fails',
    (_, change: Partial<ProbeReport>, level: IsolationLevel) => {
      expect(weakness({ ...SOUND, ...change }, level)).not.toBeNull();
    },
  );
});

describe('on this machine', () => {
  let code: ProbeCode;

  beforeAll(async () => {
    const worker = await buildWorker();
    code = {
      entry: join(worker, 'dist/runtime/sandbox/probe/main.js'),
      mounts: codeMounts(worker),
    };
  }, 180_000);

  test('the strictest sandbox that works is found, and it says what it is', async () => {
    const detection = await detectSandbox(code);
    expect(detection.ok).toBe(true);
    if (!detection.ok) return;
    expect(detection.sandbox.detail).not.toBe('');
    if (detection.sandbox.level !== 'sandbox') expect(detection.refused.length).toBeGreaterThan(0);
  });

  test.each([new NamespacesSandbox(), new ProcessSandbox()])(
    'the weaker one called $level keeps what it promises, where it works',
    async (sandbox) => {
      const fault = await selfTest(sandbox, code);
      if (sandbox.level === 'process') expect(fault).toBeNull();
      // some machines let nobody but root make namespaces; then it is passed over with that reason
      else expect(fault === null || /does not run|does not start/.test(fault)).toBe(true);
    },
  );

  test('a sandbox that does not confine is refused in words', async () => {
    const { spawn } = await import('node:child_process');
    const open: Sandbox = {
      level: 'sandbox',
      detail: 'nothing at all',
      start: (program) =>
        spawn(process.execPath, [program.entry, ...program.arguments], {
          stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
        }),
    };
    expect(await selfTest(open, code)).toMatch(/root|network|processes|files/);
  });

  test('a sandbox whose tool is not there is refused in words', async () => {
    const { spawn } = await import('node:child_process');
    const absent: Sandbox = {
      level: 'sandbox',
      detail: 'a tool nobody has',
      start: () => spawn('tidemill-no-such-tool', [], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }),
    };
    expect(await selfTest(absent, code)).toMatch(/does not run|does not start/);
  });
});
