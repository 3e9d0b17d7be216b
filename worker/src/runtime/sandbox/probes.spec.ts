import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants, networkInterfaces } from 'node:os';
import net from 'node:net';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BubblewrapSandbox } from './bubblewrap.js';
import { DENIED_CALLS } from './seccomp.js';
import { ProbeFolder, answers, canProbe } from './testing/probe.js';

// Each test starts processes, and other tests share the machine.
vi.setConfig({ testTimeout: 120_000 });

const { EPERM, ENOSYS } = constants.errno;
const isRoot = process.getuid?.() === 0;

if (!isRoot) {
  process.stderr.write('probes 2 and 3 need root to give programs away; they are skipped\n');
}

// The numbers are those of the list of probes in the test plan.
describe.skipIf(!canProbe())('a program in the sandbox', () => {
  const sandbox = new BubblewrapSandbox();
  let probes: ProbeFolder;

  beforeAll(() => {
    probes = new ProbeFolder();
  });

  afterAll(() => {
    rmSync(probes.path, { recursive: true, force: true });
  });

  /** A program's own account of one thing it tried. */
  async function inside<T>(...words: string[]): Promise<T> {
    const { result, ended } = await probes.confined(sandbox, words);
    if (result === null)
      throw new Error(`the probe ended without a word: ${JSON.stringify(ended)}`);
    return result as T;
  }

  describe('has no privileges', () => {
    test('1, 4, 5: no capability of any kind, no way to gain one, and a filter on its calls', async () => {
      const status = await inside<Record<string, string>>('status');
      for (const kind of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        expect(status[kind]).toMatch(/^0+$/);
      expect(status).toMatchObject({ NoNewPrivs: '1', Seccomp: '2' });
      expect(status['Uid']?.split(/\s+/)).toEqual(['65534', '65534', '65534', '65534']);
      expect(
        status['Groups']
          ?.trim()
          .split(' ')
          .filter((group) => group !== '' && group !== '65534'),
      ).toEqual([]);
      const free = (await probes.free(['status'])) as Record<string, string>;
      expect(free['Seccomp']).toBe('0');
    });

    test.skipIf(!isRoot)(
      '2, 3: a program that belongs to root gives it nothing, nor does one with capabilities',
      async () => {
        const owned = join(probes.path, 'owned-by-root');
        copyFileSync(probes.native, owned);
        chmodSync(owned, 0o4755);
        const capable = join(probes.path, 'capable');
        copyFileSync(probes.native, capable);
        chmodSync(capable, 0o755);
        execFileSync(probes.native, ['give-capability', capable]);
        for (const program of ['owned-by-root', 'capable']) {
          const { stdout } = await inside<{ stdout: string }>(
            'native',
            `/app/probes/${program}`,
            'who',
          );
          expect(stdout).toBe('uid 65534\neuid 65534\n');
        }
      },
    );

    test('6 to 18: every call on the list is refused, and the same calls get further outside', async () => {
      const numbers = Object.values(DENIED_CALLS).map(String);
      const refused = answers(await inside('native', 'NATIVE', 'calls', ...numbers));
      expect(refused.size).toBe(numbers.length);
      expect([...refused].filter(([, errno]) => errno !== EPERM)).toEqual([]);
      if (!isRoot) return;
      // vhangup would end the terminal of whoever runs the tests
      const harmless = Object.values(DENIED_CALLS).filter((call) => call !== DENIED_CALLS.vhangup);
      const free = answers(
        await probes.free(['native', 'NATIVE', 'calls', ...harmless.map(String)]),
      );
      const letThrough = [...free].filter(([, errno]) => errno !== EPERM).length;
      expect(letThrough).toBeGreaterThan(harmless.length * 0.9);
    });

    test('8, 9: it makes no namespace of any kind, but threads and processes as usual', async () => {
      const refused = answers(await inside('native', 'NATIVE', 'spaces'));
      expect(Object.fromEntries(refused)).toEqual({
        user: EPERM,
        mount: EPERM,
        net: EPERM,
        pid: EPERM,
        ipc: EPERM,
        uts: EPERM,
        none: 0,
        clone3: ENOSYS,
      });
    });

    test('5: the other interfaces of the kernel are no way around the filter', async () => {
      const old = await inside<{ stdout: string; signal: string }>(
        'native',
        'NATIVE',
        'old-interface',
      );
      expect(old).toMatchObject({ stdout: '', signal: 'SIGSYS' });
      const x32 = answers(await inside('native', 'NATIVE', 'calls', String(0x4000_0000 + 39)));
      expect([...x32.values()]).toEqual([EPERM]);
      expect(Object.fromEntries(answers(await inside('native', 'NATIVE', 'personality')))).toEqual({
        ask: 0,
        usual: 0,
        'no-randomize': EPERM,
      });
    });

    test('19, 44: it sees its own processes only and reaches no other', async () => {
      const { '/proc': names } = await inside<Record<string, string[]>>('list', '/proc');
      expect(names?.filter((name) => /^\d+$/.test(name)).length).toBeLessThanOrEqual(3);
      const signals = answers(await inside('native', 'NATIVE', 'signals', String(process.pid)));
      expect(signals.get('host')).toBe(constants.errno.ESRCH);
      const free = answers(await probes.free(['native', 'NATIVE', 'signals', String(process.pid)]));
      expect(free.get('host')).toBe(0);
    });
  });

  describe('has no network', () => {
    let server: net.Server;
    let abstract: net.Server;
    let port: number;
    const name = `\0tidemill-probe-${process.pid}`;

    beforeAll(async () => {
      server = net.createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(0, '::', resolve));
      const address = server.address();
      port = typeof address === 'object' && address !== null ? address.port : 0;
      abstract = net.createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => abstract.listen(name, resolve));
      await new Promise<void>((resolve) => {
        const file = net
          .createServer((socket) => socket.destroy())
          .listen(join(probes.path, 'host.sock'), resolve);
        file.unref();
      });
      chmodSync(join(probes.path, 'host.sock'), 0o777);
    });

    afterAll(() => {
      server.close();
      abstract.close();
    });

    test('24 to 28: not to this machine, its neighbours, the metadata address, or in other spellings', async () => {
      const own = Object.values(networkInterfaces()).flatMap((list) =>
        (list ?? [])
          .filter(({ internal, family }) => !internal && family === 'IPv4')
          .map(({ address }) => address),
      );
      const hosts = ['127.0.0.1', '::1', '::ffff:127.0.0.1', ...own];
      const local = hosts.map((host) => JSON.stringify({ host, port }));
      const far = [
        { host: '169.254.169.254', port: 80 },
        { host: '10.0.0.1', port: 80 },
        { host: 'fd00:ec2::254', port: 80 },
      ].map((place) => JSON.stringify(place));
      const tried = await inside<Record<string, string>>(
        'connect',
        ...local,
        ...far,
        JSON.stringify({ path: name }),
      );
      expect(Object.values(tried).filter((answer) => answer === 'done')).toEqual([]);
      expect(Object.keys(tried)).toHaveLength(hosts.length + far.length + 1);

      const free = (await probes.free([
        'connect',
        JSON.stringify({ host: '127.0.0.1', port }),
        JSON.stringify({ path: name }),
      ])) as Record<string, string>;
      expect(Object.values(free)).toEqual(['done', 'done']);
    });

    test('29: no name is resolved', async () => {
      expect(await inside('lookup', 'localhost.localdomain')).not.toBe('done');
      expect(await inside('lookup', 'example.com')).not.toBe('done');
    });

    test('30: no socket but those between its own processes', async () => {
      const refused = answers(await inside('native', 'NATIVE', 'sockets'));
      expect(Object.fromEntries(refused)).toEqual({
        unix: 0,
        inet: EPERM,
        inet6: EPERM,
        raw: EPERM,
        packet: EPERM,
        netlink: EPERM,
        vsock: EPERM,
      });
    });

    test('23: a socket of the host, like that of a container engine, is not there', async () => {
      const tried = await inside<Record<string, string>>(
        'connect',
        JSON.stringify({ path: '/var/run/docker.sock' }),
        JSON.stringify({ path: join(probes.path, 'host.sock') }),
      );
      expect(Object.values(tried)).toEqual(['ENOENT', 'ENOENT']);
      const free = (await probes.free([
        'connect',
        JSON.stringify({ path: join(probes.path, 'host.sock') }),
      ])) as Record<string, string>;
      expect(Object.values(free)).toEqual(['done']);
    });
  });

  describe('finds no files but libraries and its own code', () => {
    test('40, 41: not the key of the worker, not its environment, not the inputs of others', async () => {
      const secrets = join(probes.path, '..', `tidemill-probe-secrets-${process.pid}`);
      mkdirSync(secrets, { mode: 0o755 });
      const paths = ['worker.key', 'input-of-another-job'].map((file) => join(secrets, file));
      for (const path of paths) writeFileSync(path, 'not for the program', { mode: 0o644 });
      try {
        const seen = await inside<Record<string, string>>(
          'read',
          ...paths,
          '/etc/passwd',
          '/etc/shadow',
          '/root/.bashrc',
          process.argv[1] ?? '',
        );
        expect(new Set(Object.values(seen))).toEqual(new Set(['ENOENT']));
        const free = (await probes.free(['read', ...paths])) as Record<string, string>;
        expect(Object.values(free)).toEqual(['done', 'done']);
      } finally {
        rmSync(secrets, { recursive: true });
      }
      const environment = await inside<Record<string, string>>('environment');
      expect(Object.keys(environment).filter((key) => key !== 'PWD')).toEqual(['HOME']);
    });

    test('7, 45: nothing else at the root, everything read-only and without devices or owners', async () => {
      const listed = await inside<Record<string, string[] | null>>(
        'list',
        '/',
        '/app',
        '/tmp',
        '/etc',
        '/home',
      );
      expect(
        listed['/']?.filter(
          (name) => !['app', 'dev', 'lib', 'lib32', 'lib64', 'proc', 'tmp', 'usr'].includes(name),
        ),
      ).toEqual([]);
      expect(listed).toMatchObject({
        '/app': ['bin', 'probes'],
        '/tmp': [],
        '/etc': null,
        '/home': null,
      });
      const mounts = (await inside<string>('mounts'))
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
      const writable = mounts.filter(
        ([, path, , options]) =>
          options?.split(',').includes('rw') && path !== '/proc' && !path?.startsWith('/dev/'),
      );
      expect(writable).toEqual([]);
      expect(mounts.filter(([, , , options]) => !options?.split(',').includes('nosuid'))).toEqual(
        [],
      );
    });

    test('20, 21: no setting of the machine can be written', async () => {
      const settings = [
        '/proc/sys/kernel/core_pattern',
        '/proc/sys/kernel/hostname',
        '/proc/sysrq-trigger',
        '/proc/sys/vm/drop_caches',
        '/sys/kernel/uevent_helper',
        '/proc/self/oom_score_adj',
      ];
      const tried = await inside<Record<string, string>>('openForWriting', ...settings);
      expect(
        Object.entries(tried).filter(
          ([path, answer]) => answer === 'done' && path !== '/proc/self/oom_score_adj',
        ),
      ).toEqual([]);
      if (!isRoot) return;
      const free = (await probes.free([
        'openForWriting',
        '/proc/sys/kernel/core_pattern',
      ])) as Record<string, string>;
      expect(Object.values(free)).toEqual(['done']);
    });

    test('22: no device but those every program needs', async () => {
      const { '/dev': devices } = await inside<Record<string, string[]>>('list', '/dev');
      const usual = [
        'console',
        'core',
        'fd',
        'full',
        'null',
        'ptmx',
        'pts',
        'random',
        'shm',
        'stderr',
        'stdin',
        'stdout',
        'tty',
        'urandom',
        'zero',
      ];
      expect(devices?.filter((name) => !usual.includes(name))).toEqual([]);
    });

    test('34, 35, 39, 45: no file can be made anywhere, so no disk fills and nothing is left for the next', async () => {
      const places = [
        '/',
        '/tmp',
        '/dev',
        '/dev/shm',
        '/app',
        '/app/probes',
        '/usr/lib',
        '/proc',
        '/var/tmp',
        '/run',
      ];
      const tried = await inside<Record<string, string>>('create', ...places);
      expect(Object.entries(tried).filter(([, answer]) => answer === 'done')).toEqual([]);
      expect(readdirSync(probes.path)).not.toContain('made-by-a-probe');
      const free = (await probes.free(['create', probes.path])) as Record<string, string>;
      expect(Object.values(free)).toEqual(['done']);
    });
  });

  describe('ends at its limits', () => {
    test('31: a fork bomb runs out of processes, and none of them is left', async () => {
      const probed = await probes.confined(
        sandbox,
        ['native', 'NATIVE', 'forks'],
        { processes: 40 },
        4_000,
      );
      expect(['timeout', 'processes']).toContain(probed.ended.killedFor);
      expect(strays()).toEqual([]);
    });

    test('32: a memory bomb is refused memory before the machine runs out of it', async () => {
      const { result } = await probes.confined(sandbox, ['native', 'NATIVE', 'memory', '16384'], {
        memoryMib: 256,
      });
      const got = result === null ? 0 : (answers(result).get('memory') ?? 0);
      expect(got).toBeLessThan(2_048);
    });

    test('33: a loop ends when its CPU time is used up', async () => {
      const { ended } = await probes.confined(sandbox, ['spin'], { cpuSeconds: 1 });
      expect(ended.killedFor).toBeNull();
      expect(
        ended.signal === 'SIGXCPU' || ended.signal === 'SIGKILL' || (ended.exitCode ?? 0) > 128,
      ).toBe(true);
      expect(ended.wallMs).toBeLessThan(20_000);
    });

    test('36: descriptors run out at their limit', async () => {
      const { result } = await probes.confined(sandbox, ['descriptors'], { openFiles: 64 });
      expect(result).toMatchObject({ end: 'EMFILE' });
      expect((result as { opened: number }).opened).toBeLessThan(64);
    });

    test('37: a flood of output is read away in constant memory', async () => {
      const before = process.memoryUsage().rss;
      const { result, outputBytes } = await probes.confined(sandbox, ['flood', '1500']);
      expect(result).toBe('done');
      expect(outputBytes).toBeGreaterThan(1024 * 1024);
      expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
    });

    test('38: a program that is stopped while it starts leaves nothing, whenever that is', async () => {
      const moments = [0, 1, 2, 4, 6, 8, 10, 13, 16, 20, 25, 30, 40];
      const all = await Promise.all(
        moments.map((wallMs) => probes.confined(sandbox, ['spin'], {}, wallMs)),
      );
      expect(all.map(({ ended }) => ended.killedFor)).toEqual(moments.map(() => 'timeout'));
      expect(strays()).toEqual([]);
    });

    test('38: the deadline is kept, and what it started goes with it', async () => {
      const { ended } = await probes.confined(sandbox, ['spin'], {}, 1_000);
      expect(ended).toMatchObject({ killedFor: 'timeout' });
      expect(ended.wallMs).toBeLessThan(3_000);
      expect((await probes.confined(sandbox, ['leave'])).result).toBe('done');
      expect(strays()).toEqual([]);
    });
  });

  /** Processes that still run the probes or their programs. */
  function strays(): string[] {
    const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
    return lines.filter((line) => line.includes(probes.path));
  }
});
