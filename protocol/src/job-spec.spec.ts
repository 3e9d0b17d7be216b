import { describe, expect, test } from 'vitest';
import { BatchRequest } from './api.js';
import { JobSpec, parseDuration, runtimeNotOffered, RUNTIMES_NOT_OFFERED } from './job-spec.js';

const noop = { kind: 'batch', runtime: { noop: {} } };
const digest = `sha256:${'0'.repeat(64)}`;
const tfjs = {
  model: { topology: digest },
  data: { train: { csv: digest }, features: { columns: '*' }, label: { column: 'y', classes: 3 } },
  loss: 'categoricalCrossentropy',
  epochs: 2,
};

test.each([
  ['the least there can be', noop],
  [
    'a job that sleeps and fails',
    { ...noop, runtime: { noop: { sleepMs: 3_600_000, fail: 'as told' } } },
  ],
  ['training', { kind: 'training', runtime: { tfjs }, checkpoint: { every: '60s' } }],
  ['a name of one sign', { ...noop, name: 'a' }],
  ['the longest name', { ...noop, name: 'a'.repeat(63) }],
  [
    'every limit',
    {
      ...noop,
      limits: {
        maxPricePerGpuHour: 1.2,
        maxPricePerCpuHour: '0.05',
        maxDuration: '6h',
        deadline: '2026-12-01T00:00:00Z',
        maxCost: 25,
      },
    },
  ],
  ['no second try', { ...noop, retry: { max: 0 } }],
  ['nineteen more tries', { ...noop, retry: { max: 19 } }],
  ['replication', { ...noop, verify: { replicate: 5 } }],
  ['a verify class in short', { ...noop, verify: 'none' }],
  ['a verify class in full', { ...noop, verify: { class: 'standard' } }],
  ['a priority', { ...noop, priority: 'low' }],
])('takes %s', (_, spec) => {
  expect(JobSpec.safeParse(spec).error?.issues).toBeUndefined();
});

test.each([
  ['no kind', { runtime: { noop: {} } }, 'kind'],
  ['an unknown kind', { ...noop, kind: 'quantum' }, 'kind'],
  ['a service, which nothing here runs yet', { ...noop, kind: 'service' }, 'kind'],
  ['no runtime', { kind: 'batch' }, 'runtime'],
  ['an empty runtime', { kind: 'batch', runtime: {} }, 'runtime'],
  ['two runtimes', { kind: 'training', runtime: { noop: {}, tfjs } }, 'runtime'],
  ['an unknown member', { ...noop, image: 'x' }, ''],
  [
    'an unknown member of the runtime',
    { ...noop, runtime: { noop: { command: 'rm' } } },
    'runtime.noop',
  ],
  ['an unknown limit', { ...noop, limits: { maxPrice: 1 } }, 'limits'],
  ['a name with capitals', { ...noop, name: 'Job' }, 'name'],
  ['a name that begins with a dash', { ...noop, name: '-x' }, 'name'],
  ['a name that is too long', { ...noop, name: 'a'.repeat(64) }, 'name'],
  ['a name with a line feed behind it', { ...noop, name: 'a\n' }, 'name'],
  ['too many tries', { ...noop, retry: { max: 20 } }, 'retry.max'],
  ['a single replica', { ...noop, verify: { replicate: 1 } }, 'verify.replicate'],
  ['six replicas', { ...noop, verify: { replicate: 6 } }, 'verify.replicate'],
  ['two ways to verify', { ...noop, verify: { class: 'none', replicate: 2 } }, 'verify'],
  [
    'a price with seven decimals',
    { ...noop, limits: { maxPricePerGpuHour: '0.0000001' } },
    'limits.maxPricePerGpuHour',
  ],
  ['a negative cost', { ...noop, limits: { maxCost: -1 } }, 'limits.maxCost'],
  [
    'a deadline without a time zone',
    { ...noop, limits: { deadline: '2026-12-01T00:00:00' } },
    'limits.deadline',
  ],
  [
    'a deadline on no day',
    { ...noop, limits: { deadline: '2026-02-30T00:00:00Z' } },
    'limits.deadline',
  ],
  ['a duration without a unit', { ...noop, limits: { maxDuration: '60' } }, 'limits.maxDuration'],
  [
    'a sleep beyond an hour',
    { ...noop, runtime: { noop: { sleepMs: 3_600_001 } } },
    'runtime.noop.sleepMs',
  ],
  ['a list', [noop], ''],
  ['nothing', null, ''],
])('refuses %s and says where', (_, spec, path) => {
  const issues = JobSpec.safeParse(spec).error?.issues ?? [];
  expect(issues.map((issue) => issue.path.join('.'))).toContain(path);
});

describe('a runtime of the design that nobody offers yet', () => {
  test.each(RUNTIMES_NOT_OFFERED)('%s is refused in words that name what there is', (name) => {
    const issues =
      JobSpec.safeParse({ kind: 'batch', runtime: { [name]: {} } }).error?.issues ?? [];
    expect(issues[0]?.message).toBe(`no worker software here offers ${name} yet; use tfjs or noop`);
    expect(runtimeNotOffered(issues, {})).toBe(name);
  });

  test('is found inside a batch', () => {
    const batch = { jobs: [noop, { kind: 'batch', runtime: { llm: {} } }] };
    const { error } = BatchRequest.safeParse(batch);
    expect(runtimeNotOffered(error?.issues ?? [], batch)).toBe('llm');
  });

  test('a service is one, too, alone and in a batch', () => {
    const service = { kind: 'service', runtime: { noop: {} } };
    expect(runtimeNotOffered(JobSpec.safeParse(service).error?.issues ?? [], service)).toBe(
      'service',
    );
    const batch = { jobs: [noop, service] };
    expect(runtimeNotOffered(BatchRequest.safeParse(batch).error?.issues ?? [], batch)).toBe(
      'service',
    );
  });

  test('is not to blame for other faults', () => {
    const faults = [
      { kind: 'batch', runtime: { fortran: {} } },
      { ...noop, container: {} },
      { kind: 'batch', runtime: {} },
      { ...noop, kind: 'party' },
      { ...noop, kind: ['service'] },
      null,
    ];
    for (const spec of faults)
      expect(runtimeNotOffered(JobSpec.safeParse(spec).error?.issues ?? [], spec)).toBeNull();
  });
});

test.each([
  ['1s', 1_000],
  ['90s', 90_000],
  ['10m', 600_000],
  ['6h', 21_600_000],
  ['30d', 2_592_000_000],
  ['0s', null],
  ['31d', null],
  ['721h', null],
  ['1.5h', null],
  ['-1s', null],
  ['1', null],
  ['h', null],
  ['1w', null],
  ['1h ', null],
  ['1h\n', null],
  ['99999999s', null],
])('the duration %j is %s ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});
