import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { firstBroken, range, runSeeds, sumOf, type Tally } from './campaign.js';
import { FAULT_NAMES, narrowed, optionsOf, type Narrowing } from './narrowing.js';
import { PLANTED_BUGS, partsWith } from './planted-bugs.js';
import { scenarioOf } from './scenario.js';
import { shrink } from './shrink.js';
import { simulate } from './simulate.js';

const USAGE = `Simulates the network: the real stages and the real agent on memory, with faults, by seed.

  --seeds=FIRST-LAST   run these seeds (default 1-1000)
  --processes=N        in so many processes (default 2)
  --repeat-every=N     run every Nth seed twice, which must go the same way (default 20)
  --seed=N             run one seed; when it breaks a rule, find what of it is needed
  --bugs               find every planted bug, within --seeds
  --bug=NAME           plant this bug
  --without=FAULTS, --jobs=NUMBERS, --workers=N, --orchestrators=N, --faults-until-ms=N   leave the rest of a seed away
`;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-1000' },
    processes: { type: 'string', default: '2' },
    'repeat-every': { type: 'string', default: '20' },
    seed: { type: 'string' },
    bugs: { type: 'boolean', default: false },
    bug: { type: 'string' },
    without: { type: 'string' },
    jobs: { type: 'string' },
    workers: { type: 'string' },
    orchestrators: { type: 'string' },
    'faults-until-ms': { type: 'string' },
    json: { type: 'boolean', default: false },
    /** Of a process that another one started: every how many-th seed is its own. */
    stride: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const bug = values.bug ?? null;
const [first = 1, last = first] = values.seeds.split('-').map(Number);
const repeatEvery = Number(values['repeat-every']);

if (values.help) say(USAGE);
else if (values.stride !== undefined) await work(Number(values.stride));
else if (values.seed !== undefined) await replay(Number(values.seed));
else if (values.bugs) await findBugs();
else await campaign(Number(values.processes));

/** One process's part of a campaign: it tells its parent what came of it. */
async function work(stride: number): Promise<void> {
  const tally = await runSeeds(range(first, last, stride), partsWith(bug), repeatEvery);
  process.send?.(tally);
}

async function campaign(processes: number): Promise<void> {
  const startMs = performance.now();
  const tallies = await Promise.all(
    [...range(0, processes - 1)].map((part) => child(part, processes)),
  );
  const tally = sumOf(tallies);
  const seconds = (performance.now() - startMs) / 1_000;
  say(values.json ? JSON.stringify({ ...tally, seconds }) : tableOf(tally, seconds));
  for (const { seed, rule, detail } of tally.failed.slice(0, 10)) {
    say(`seed ${seed} breaks "${rule}": ${detail.split('\n')[0] ?? ''}`);
    say(`  replay: npm run simulate -- --seed=${seed}${bug === null ? '' : ` --bug=${bug}`}`);
  }
  for (const seed of tally.diverged) say(`seed ${seed} went another way the second time`);
  if (tally.failed.length + tally.diverged.length > 0) process.exitCode = 1;
}

async function child(part: number, processes: number): Promise<Tally> {
  const args = [
    `--seeds=${first + part}-${last}`,
    `--stride=${processes}`,
    `--repeat-every=${repeatEvery}`,
    ...(bug === null ? [] : [`--bug=${bug}`]),
  ];
  const running = fork(fileURLToPath(import.meta.url), args);
  const [[tally]] = (await Promise.all([once(running, 'message'), once(running, 'exit')])) as [
    [Tally],
    unknown,
  ];
  return tally;
} // prettier-ignore

/** Runs one seed as the options narrow it; when it breaks a rule, says with how little of it that still happens. */
async function replay(seed: number): Promise<void> {
  const parts = partsWith(bug);
  const scenario = narrowed(scenarioOf(seed), narrowingOf());
  const { violation, hash, events, faults, simulatedMs } = await simulate(scenario, parts);
  say(`seed ${seed}: ${events} events, ${faults} faults in ${simulatedMs} ms of its time, hash ${hash}`);
  if (violation === null) {
    say('every rule held');
    return;
  }
  process.exitCode = 1;
  say(`broke "${violation.name}" at ${violation.atMs} ms: ${violation.detail}`);
  const options = optionsOf(await shrink(scenario, parts, violation.name));
  const planted = bug === null ? [] : [`--bug=${bug}`];
  say(`smallest: npm run simulate -- ${[`--seed=${seed}`, ...planted, ...options].join(' ')}`);
} // prettier-ignore

async function findBugs(): Promise<void> {
  say('| planted bug | seeds until found | rule that it breaks |\n| --- | ---: | --- |');
  for (const { name, rule } of PLANTED_BUGS) {
    const found = await firstBroken(range(first, last), partsWith(name));
    if (found?.violation?.name !== rule) process.exitCode = 1;
    const seeds = found === null ? 'not found' : String(found.seed - first + 1);
    say(`| ${name} | ${seeds} | ${found?.violation?.name ?? ''} |`);
  }
}

function narrowingOf(): Narrowing {
  const number = (text: string | undefined): number | null =>
    text === undefined ? null : Number(text);
  const without = values.without?.split(',') ?? [];
  return {
    without: FAULT_NAMES.filter((name) => without.includes(name)),
    jobs: values.jobs?.split(',').map(Number) ?? null,
    workers: number(values.workers),
    orchestrators: number(values.orchestrators),
    faultsUntilMs: number(values['faults-until-ms']),
  };
}

function tableOf(tally: Tally, seconds: number): string {
  const rows: (readonly [string, string])[] = [
    ['seeds', String(tally.seeds)],
    ['rules broken', String(tally.failed.length)],
    ['run twice, same way', `${tally.repeated - tally.diverged.length} of ${tally.repeated}`],
    ['events', String(tally.events)],
    ['faults', String(tally.faults)],
    ...Object.entries(tally.byFault).map(([name, count]) => [`  ${name}`, String(count)] as const),
    ['jobs', String(tally.jobs)],
    ['attempts', String(tally.attempts)],
    ['simulated hours', (tally.simulatedMs / 3_600_000).toFixed(1)],
    ['longest from the end of faults to the end of the last job, s', (tally.longestCalmMs / 1_000).toFixed(0)],
    ['seconds', seconds.toFixed(1)],
  ]; // prettier-ignore
  return rows.map(([name, value]) => `${name.padEnd(62)}${value.padStart(12)}`).join('\n');
}
