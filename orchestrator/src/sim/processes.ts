import { fork } from 'node:child_process';
import { once } from 'node:events';
import { firstBroken, range, runSeeds, sumOf, type Tally } from './campaign.js';
import { PLANTED_BUGS, partsWith } from './planted-bugs.js';

/** Seeds to run, as the sound network or with a bug, and bugs to look for. */
export interface Campaign {
  readonly first: number;
  readonly last: number;
  /** Every so many-th seed is run twice, which must go the same way. */
  readonly repeatEvery: number;
  /** Seeds run with this bug. */
  readonly bug: string | null;
  /** Planted bugs to be found within the first BUG_SEEDS of the seeds. */
  readonly bugs: readonly string[];
  /** Nothing is run but what looks for the bugs. */
  readonly isSearchOnly: boolean;
}

/** A planted bug, and what found it. */
interface Search {
  readonly name: string;
  /** Seeds that it took, or null when none of them broke a rule. */
  readonly seeds: number | null;
  readonly brokenRule: string | null;
  readonly isFound: boolean;
}

export interface CampaignResult {
  readonly tally: Tally;
  readonly searches: readonly Search[];
}

/** What a process of a campaign tells the one that started it. */
type Message =
  | { readonly kind: 'progress'; readonly seeds: number }
  | ({ readonly kind: 'done' } & CampaignResult);

/** So many seeds are enough for every planted bug. */
const BUG_SEEDS = 1_000;
const TELL_EVERY = 50;

/** Runs a campaign in so many processes of this program; `progress` hears how many seeds have been run. */
export async function inProcesses(
  program: string,
  campaign: Campaign,
  processes: number,
  progress: (seeds: number) => void,
): Promise<CampaignResult> {
  const done = Array.from({ length: processes }, () => 0);
  const results = await Promise.all(
    done.map((_, part) =>
      inProcess(program, partOf(campaign, part, processes), (seeds) => {
        done[part] = seeds;
        progress(done.reduce((sum, one) => sum + one, 0));
      }),
    ),
  );
  const searches = results.flatMap((result) => result.searches);
  return {
    tally: sumOf(results.map(({ tally }) => tally)),
    searches: PLANTED_BUGS.flatMap(({ name }) => searches.filter((one) => one.name === name)),
  };
}

/** One process's part of a campaign: every `stride`-th seed from its own first on. */
interface Part extends Campaign {
  readonly ownFirst: number;
  readonly stride: number;
}

function partOf(campaign: Campaign, part: number, processes: number): Part {
  return {
    ...campaign,
    ownFirst: campaign.first + part,
    stride: processes,
    bugs: campaign.bugs.filter((_, i) => i % processes === part),
  };
}

async function inProcess(
  program: string,
  part: Part,
  progress: (seeds: number) => void,
): Promise<CampaignResult> {
  // Most of what a simulation makes is thrown away at once, which a larger nursery does more cheaply.
  const running = fork(program, [`--part=${JSON.stringify(part)}`], {
    execArgv: ['--max-semi-space-size=32'],
  });
  const results: CampaignResult[] = [];
  running.on('message', (message: Message) => {
    if (message.kind === 'progress') progress(message.seeds);
    else results.push(message);
  });
  const [code] = (await once(running, 'exit')) as [number | null];
  const [result] = results;
  if (result === undefined)
    throw new Error(`a process of the campaign ended early, with ${String(code)}`);
  return result;
}

/** Does what a process of a campaign was started for. */
export async function workAs(text: string): Promise<void> {
  const part = JSON.parse(text) as Part; // written above
  const tell = (message: Message): void => void process.send?.(message);
  const seeds = part.isSearchOnly ? [] : range(part.ownFirst, part.last, part.stride);
  const tally = await runSeeds(seeds, partsWith(part.bug), part.repeatEvery, (done) => {
    if (done % TELL_EVERY === 0) tell({ kind: 'progress', seeds: done });
  });
  const searches: Search[] = [];
  for (const name of part.bugs) searches.push(await search(name, part));
  tell({ kind: 'done', tally, searches });
}

async function search(name: string, { first, last }: Part): Promise<Search> {
  const until = Math.min(last, first + BUG_SEEDS - 1);
  const found = await firstBroken(range(first, until), partsWith(name));
  const brokenRule = found?.violation?.name ?? null;
  const rule = PLANTED_BUGS.find((one) => one.name === name)?.rule;
  const seeds = found === null ? null : found.seed - first + 1;
  return { name, seeds, brokenRule, isFound: brokenRule === rule };
}
