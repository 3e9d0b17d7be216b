import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Tally } from './campaign.js';
import { FAULT_NAMES, narrowed, optionsOf, type Narrowing } from './narrowing.js';
import { PLANTED_BUGS, partsWith } from './planted-bugs.js';
import { inProcesses, workAs, type CampaignResult } from './processes.js';
import { scenarioOf } from './scenario.js';
import { shrink } from './shrink.js';
import { simulate } from './simulate.js';

const USAGE = `Simulates the network: the real stages and the real agent on memory, with faults, by seed.

  --seeds=FIRST-LAST   run these seeds (default 1-1000)
  --processes=N        in so many processes (default 2)
  --repeat-every=N     run every Nth seed twice, which must go the same way (default 20)
  --seed=N             run one seed; when it breaks a rule, find what of it is needed
  --bugs               find every planted bug, within the first 1,000 of --seeds
  --with-bugs          run the seeds, and find every planted bug
  --totals=FILE        write what passed and failed to this file, as JSON
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
    'with-bugs': { type: 'boolean', default: false },
    totals: { type: 'string' },
    bug: { type: 'string' },
    without: { type: 'string' },
    jobs: { type: 'string' },
    workers: { type: 'string' },
    orchestrators: { type: 'string' },
    'faults-until-ms': { type: 'string' },
    json: { type: 'boolean', default: false },
    /** What a process that another one started is to do. */
    part: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const bug = values.bug ?? null;
const [first = 1, last = first] = values.seeds.split('-').map(Number);
/** Seeds between two lines that say how far it is. */
const TELL_EVERY = 1_000;

if (values.help) say(USAGE);
else if (values.part !== undefined) await workAs(values.part);
else if (values.seed !== undefined) await replay(Number(values.seed));
else await campaign(Number(values.processes));

async function campaign(processes: number): Promise<void> {
  const startMs = performance.now();
  const seconds = (): number => (performance.now() - startMs) / 1_000;
  const wanted = {
    first,
    last,
    repeatEvery: Number(values['repeat-every']),
    bug,
    bugs: values.bugs || values['with-bugs'] ? PLANTED_BUGS.map(({ name }) => name) : [],
    isSearchOnly: values.bugs,
  };
  let told = 0;
  const result = await inProcesses(fileURLToPath(import.meta.url), wanted, processes, (seeds) => {
    if (values.json || seeds < told + TELL_EVERY) return;
    told = seeds;
    say(`${seeds} seeds after ${seconds().toFixed(0)} s`);
  });
  const { tally, searches } = result;
  if (values.json) say(JSON.stringify({ ...tally, searches, seconds: seconds() }));
  else if (!values.bugs) say(tableOf(tally, seconds()));
  for (const { seed, rule, detail } of tally.failed.slice(0, 10)) {
    say(`seed ${seed} breaks "${rule}": ${detail.split('\n')[0] ?? ''}`);
    say(`  replay: npm run simulate -- --seed=${seed}${bug === null ? '' : ` --bug=${bug}`}`);
  }
  for (const seed of tally.diverged) say(`seed ${seed} went another way the second time`);
  if (searches.length > 0 && !values.json) say(searchesTable(searches));
  const checks = checksOf(result);
  const failed = checks.filter((holds) => !holds).length;
  if (values.totals !== undefined) {
    const totals = { passed: checks.length - failed, failed, skipped: 0, figures: figuresOf(result) };
    writeFileSync(values.totals, JSON.stringify(totals));
  }
  if (failed > 0) process.exitCode = 1;
} // prettier-ignore

/** What a campaign checks: that no seed breaks a rule, that seeds repeat, and that each bug is found by its rule. */
function checksOf({ tally, searches }: CampaignResult): boolean[] {
  return [
    ...(tally.seeds === 0 ? [] : [tally.failed.length === 0]),
    ...(tally.repeated === 0 ? [] : [tally.diverged.length === 0]),
    ...searches.map(({ isFound }) => isFound),
  ];
}

function figuresOf({ tally, searches }: CampaignResult): { id: string; text: string }[] {
  const found = searches.filter(({ isFound }) => isFound).length;
  return [
    `${tally.seeds} seeds (10,000 asked)`,
    `${tally.events} events (1,000,000 asked)`,
    `${tally.faults} faults (200,000 asked)`,
    `${tally.failed.length} rules broken`,
    `${tally.repeated - tally.diverged.length} of ${tally.repeated} seeds twice the same way (500 asked)`,
    `${found} of ${searches.length} planted bugs (15 asked)`,
  ].map((text) => ({ id: 'T1', text }));
}

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

function searchesTable(searches: CampaignResult['searches']): string {
  const rows = searches.map(({ name, seeds, brokenRule, isFound }) => {
    const rule = `${brokenRule ?? ''}${isFound ? '' : ' (not the one that it breaks)'}`;
    return `| ${name} | ${seeds ?? 'not found'} | ${rule} |`;
  });
  return ['| planted bug | seeds until found | rule that it breaks |', '| --- | ---: | --- |', ...rows].join('\n');
} // prettier-ignore

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
