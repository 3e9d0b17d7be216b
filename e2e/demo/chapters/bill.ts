import type { Account, JobDetail, LedgerEntry, Worker } from '@tidemill/client';
import { formatAmount } from '@tidemill/protocol';
import Table from 'cli-table3';
import pg from 'pg';
import { expect } from '../expectation.js';
import type { World } from '../world.js';

/** Shows what every job cost and who earned it, and adds up the ledger again. */
export async function bill(world: World, jobs: readonly JobDetail[]): Promise<void> {
  const { stage, submitter } = world;
  stage.heading('The bill');
  const bills = await Promise.all(jobs.map(({ id }) => submitter.jobs.get(id)));
  stage.line(indented(jobTable(bills)));
  const workers: Worker[] = [];
  for await (const worker of submitter.workers.list()) workers.push(worker);
  stage.line(indented(workerTable(workers)));

  const entries: LedgerEntry[] = [];
  for await (const entry of submitter.account.entries()) entries.push(entry);
  const spent = checkAccount(await submitter.account.get(), bills);
  checkEarnings(world, entries, workers, spent);
  const crooked = entries.find(({ postings }) => sum(postings.map(({ amount }) => amount)) !== 0n);
  expect(
    crooked === undefined,
    'every ledger entry should add up to zero',
    `${crooked?.id} does not`,
  );
  const whole = await wholeLedger(world.network.databaseUrl);
  expect(whole === 0n, 'the whole ledger should add up to zero', `it adds up to ${whole}`);
  stage.good(
    `${entries.length} ledger entries of this account and the whole ledger add up to zero`,
  );
}

function checkAccount(account: Account, bills: readonly JobDetail[]): bigint {
  const { available, held, spent, deposited } = account;
  expect(held === '0', 'nothing should be held when every job is over', `${held} base units are`);
  expect(
    BigInt(deposited) === BigInt(available) + BigInt(spent),
    'what was deposited should be spent or still there',
    JSON.stringify(account),
  );
  const costs = sum(bills.map(({ cost }) => cost));
  expect(
    costs === BigInt(spent),
    'the jobs should cost what was spent',
    `${costs} is not ${spent}`,
  );
  return costs;
}

/** What the submitter spent went to workers and into fees; what workers earned beyond that, the network paid for checks. */
function checkEarnings(
  { stage }: World,
  entries: readonly LedgerEntry[],
  workers: readonly Worker[],
  spent: bigint,
): void {
  const charged = entries
    .filter(({ kind }) => kind === 'charge')
    .flatMap(({ postings }) => postings);
  const to = (owner: string) =>
    sum(charged.filter(({ account }) => account.startsWith(owner)).map(({ amount }) => amount));
  const [toWorkers, toFees] = [to('wrk_'), to('network:')];
  expect(
    toWorkers + toFees === spent,
    'what was spent should go to workers and fees',
    `${toWorkers} + ${toFees} is not ${spent}`,
  );
  const earned = sum(workers.flatMap((worker) => [worker.earned, worker.pending]));
  expect(
    earned >= toWorkers,
    'workers should have what they were paid',
    `${earned} is less than ${toWorkers}`,
  );
  stage.good(
    `${tokens(spent)} spent: ${tokens(toWorkers)} to workers, ${tokens(toFees)} in fees; the network paid ${tokens(earned - toWorkers)} for checks`,
  );
}

/** The balances of all ledger accounts, as only the operator can see them. */
async function wholeLedger(databaseUrl: string): Promise<bigint> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ sum: string }>(
      'SELECT sum(balance)::text AS sum FROM ledger_accounts',
    );
    return BigInt(rows[0]?.sum ?? '0');
  } finally {
    await client.end();
  }
}

function jobTable(jobs: readonly JobDetail[]): string {
  const table = new Table({
    head: ['job', 'held', 'charged', 'given back'],
    style: { head: [], border: [] },
  });
  for (const { name, id, hold, cost } of jobs) {
    table.push([name ?? id, tokens(hold), tokens(cost), tokens(BigInt(hold) - BigInt(cost))]);
  }
  return table.toString();
}

function workerTable(workers: readonly Worker[]): string {
  const table = new Table({
    head: ['worker', 'state', 'accepted', 'lost', 'earned', 'pending'],
    style: { head: [], border: [] },
  });
  for (const { name, state, results, earned, pending } of workers) {
    table.push([name, state, results.accepted, results.lost, tokens(earned), tokens(pending)]);
  }
  return table.toString();
}

const tokens = (baseUnits: string | bigint) => formatAmount(BigInt(baseUnits));
const sum = (amounts: readonly string[]) =>
  amounts.reduce((total, amount) => total + BigInt(amount), 0n);
const indented = (text: string) => text.replace(/^/gm, '   ');
