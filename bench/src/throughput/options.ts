import { parseArgs } from 'node:util';

const PARTS = ['peers', 'product', 'latency', 'sockets'] as const;
export type Part = (typeof PARTS)[number];

/** What one run of the benchmark measures, and how much of it. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  /** Measured jobs of each round, of the product and of each peer. */
  readonly jobs: number;
  readonly warmUpJobs: number;
  /** Jobs submitted one in a call, which are printed beside the others. */
  readonly singleJobs: number;
  readonly workers: number;
  /** Each round measures every peer once, and the product after each of them. */
  readonly rounds: number;
  /** Whether one measurement of the product is enough: it works, and that is all. */
  readonly quick: boolean;
  readonly latencyJobs: number;
  readonly sockets: number;
  readonly socketSeconds: number;
  /** Gets V8 CPU profiles of the orchestrator. */
  readonly profileDir: string | undefined;
  /** Whether the last line is the result as JSON. */
  readonly json: boolean;
}

export type ReadOptions =
  | { readonly ok: true; readonly options: BenchOptions }
  | { readonly ok: false; readonly message: string };

export const USAGE = `usage: npm run bench:throughput -- [options]
  --jobs N            jobs of each round (20000)
  --workers N         simulated workers (200)
  --rounds N          rounds of every peer once and the product twice (1)
  --warm-up N         jobs before each measurement (1000)
  --single-jobs N     jobs that are submitted one in a call (a twentieth of --jobs)
  --latency-jobs N    jobs that are submitted one after the other (100)
  --sockets N         idle worker sockets (4000)
  --socket-seconds N  seconds of heartbeats in each round (8)
  --only PARTS        some of ${PARTS.join(',')}
  --quick             little of everything: whether it works, not how fast
  --profile DIR       writes V8 CPU profiles of the orchestrator and its slowest statements there
  --json              prints the result as one JSON object in the last line`;

const FULL = {
  jobs: 20_000,
  workers: 200,
  'warm-up': 1_000,
  'latency-jobs': 100,
  sockets: 4_000,
  'socket-seconds': 8,
  rounds: 1,
};
const QUICK = {
  jobs: 200,
  workers: 6,
  'warm-up': 40,
  'latency-jobs': 5,
  sockets: 40,
  'socket-seconds': 1,
  rounds: 1,
};

/** Reads the command line. */
export function readOptions(args: readonly string[]): ReadOptions {
  try {
    return { ok: true, options: parse(args) };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}

function parse(args: readonly string[]): BenchOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: text,
      workers: text,
      rounds: text,
      'warm-up': text,
      'single-jobs': text,
      'latency-jobs': text,
      sockets: text,
      'socket-seconds': text,
      only: text,
      profile: text,
      quick: flag,
      json: flag,
    },
  });
  const defaults = values.quick ? QUICK : FULL;
  const number = (name: keyof typeof FULL) => whole(name, values[name]) ?? defaults[name];
  const jobs = number('jobs');
  return {
    parts: partsOf(values.only),
    jobs,
    warmUpJobs: number('warm-up'),
    singleJobs: whole('single-jobs', values['single-jobs']) ?? Math.ceil(jobs / 20),
    workers: number('workers'),
    rounds: number('rounds'),
    quick: values.quick,
    latencyJobs: number('latency-jobs'),
    sockets: number('sockets'),
    socketSeconds: number('socket-seconds'),
    profileDir: values.profile,
    json: values.json,
  };
}

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new Error(`--${name} takes a whole number from 1 on, not "${text}"`);
  return Number(text);
}

function partsOf(only: string | undefined): readonly Part[] {
  if (only === undefined) return PARTS;
  const names = only.split(',');
  const unknown = names.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`--only knows ${PARTS.join(', ')}, not "${unknown}"`);
  return PARTS.filter((part) => names.includes(part));
}
