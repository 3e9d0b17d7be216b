import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configure, type Environment } from './env.js';
import { FLAGS, helpText, variableOf, type FlagName } from './flags.js';

const URL_FLAG = ['--orchestrator', 'http://127.0.0.1:7070'];

function settings(argv: readonly string[], environment: Environment = {}) {
  const configuration = configure(argv, environment);
  if (configuration.kind !== 'settings') throw new Error(JSON.stringify(configuration));
  return configuration.settings;
}

describe('settings', () => {
  test('need only an orchestrator', () => {
    expect(settings(URL_FLAG)).toMatchObject({
      orchestrator: new URL('http://127.0.0.1:7070'),
      stateDir: join(homedir(), '.tidemill', 'worker'),
      keyFile: join(homedir(), '.tidemill', 'worker', 'key.json'),
      cpuMilli: null,
      slots: null,
      askCpuHour: 10_000n,
      askGpuHour: 500_000n,
      statusPort: null,
      payout: null,
      drainGraceMs: 60_000,
      logLevel: 'info',
    });
  });

  test('come from flags and from the environment, and a flag wins', () => {
    const environment = {
      TIDEMILL_WORKER_ORCHESTRATOR: 'https://a.example',
      TIDEMILL_WORKER_SLOTS: '3',
    };
    expect(settings([], environment)).toMatchObject({
      slots: 3,
      orchestrator: new URL('https://a.example'),
    });
    expect(settings(['--slots=5'], environment).slots).toBe(5);
  });

  test('the key lies in the state folder unless it is told otherwise', () => {
    expect(settings([...URL_FLAG, '--state-dir', '/var/w']).keyFile).toBe('/var/w/key.json');
    expect(settings([...URL_FLAG, '--state-dir', '/var/w', '--key', '/etc/k.json']).keyFile).toBe(
      '/etc/k.json',
    );
  });

  test('asks are exact', () => {
    expect(
      settings([...URL_FLAG, '--ask-gpu-hour', '1.000001', '--ask-cpu-hour', '0']).askGpuHour,
    ).toBe(1_000_001n);
  });
});

describe('faults', () => {
  test('are listed all at once, each under its flag', () => {
    const configuration = configure(
      [
        ...[
          '--orchestrator',
          'ftp://x',
          '--cpu-millis',
          '-1',
          '--slots',
          '257',
          '--ask-gpu-hour',
          '0.0000001',
        ],
        ...[
          '--region',
          'EU West',
          '--status-port',
          '65536',
          '--payout',
          '11111111111111111111111111111111',
        ],
        ...['--log-level', 'loud', '--name', '<b>', '--colour', '--gpus'],
      ],
      {},
    );
    if (configuration.kind !== 'faults') throw new Error('no faults');
    const named = configuration.faults.map((fault) => /^--([a-z-]+)/.exec(fault)?.[1]);
    expect(new Set(named)).toEqual(
      new Set([
        ...[
          'orchestrator',
          'cpu-millis',
          'slots',
          'ask-gpu-hour',
          'region',
          'status-port',
          'payout',
          'log-level',
        ],
        ...['name', 'colour', 'gpus'],
      ]),
    );
  });

  test.each([
    '',
    'tidemill.example',
    'http://a.example/path',
    'http://u:p@a.example',
    'http://a.example?x=1',
  ])('the orchestrator "%s" is one', (orchestrator) => {
    expect(configure(['--orchestrator', orchestrator], {})).toMatchObject({ kind: 'faults' });
  });
});

test('help names every flag and every variable can be derived', () => {
  expect(configure(['--help'], {})).toEqual({ kind: 'help' });
  for (const name of Object.keys(FLAGS) as FlagName[]) expect(helpText()).toContain(`--${name} `);
  expect(variableOf('ask-gpu-hour')).toBe('TIDEMILL_WORKER_ASK_GPU_HOUR');
});
