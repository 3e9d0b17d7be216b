import { createHash } from 'node:crypto';
import { tampered } from './adversary.js';
import { Draws } from './draws.js';
import { anyMove } from './moves.js';
import { type Cast, placed, World } from './world.js';

/** What came of a sequence. */
export interface Tally {
  /** How often each instruction was done, and what each refused one was refused for. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly tampered: number;
  /** Over everything that was sent and what came of it: the same seed gives the same. */
  readonly digest: string;
}

/**
 * Sends so many random instructions to a network of their own and holds every outcome and every balance to the model. One in four is
 * tampered with and has to be refused. Throws at the first difference, with the seed and the place.
 */
export async function runSequence(cast: Cast, seed: number, count: number): Promise<Tally> {
  const draws = new Draws(seed);
  const world = await World.open(cast, seed);
  const outcomes = new Map<string, number>();
  const digest = createHash('sha256');
  let tamperedCount = 0;
  for (let at = 0; at < count; at += 1) {
    prepare(world, draws);
    const honest = anyMove(world, draws);
    const change = draws.oneIn(4) ? tampered(world, draws, honest) : null;
    const move = change ?? honest;
    const expected = change === null ? move.foresee() : 'any refusal';
    const verdict = world.send(move.instructions, move.signers);
    const agrees = change === null ? verdict === expected : verdict !== null;
    const fault = agrees
      ? world.fault(at === count - 1 ? 'end' : verdict === null ? 'done' : 'refused')
      : `came to ${verdict ?? 'success'}, not to ${expected ?? 'success'}`;
    if (fault !== null) throw new Error(`seed ${seed}, instruction ${at}, ${move.name}: ${fault}`);
    const outcome = change === null ? `${move.name}: ${verdict ?? 'done'}` : 'tampered';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    digest.update(`${move.name} ${verdict} ${world.model.slot}\n`);
    if (change !== null) tamperedCount += 1;
  }
  return { outcomes, tampered: tamperedCount, digest: digest.digest('hex') };
}

/** What happens between instructions: time passes, and the ledger books charges. */
function prepare(world: World, draws: Draws): void {
  if (draws.oneIn(6)) world.pass(BigInt(1 + draws.below(draws.oneIn(40) ? 150 : 10)));
  const { ledger, model } = world;
  const [submitter, worker] = [draws.below(6), draws.below(6)];
  const kind = draws.below(30);
  if (kind < 12) {
    const fee = draws.amount(20);
    ledger.work(
      submitter,
      worker,
      fee + draws.amount(600),
      fee,
      placed(model.submitters, submitter),
    );
  } else if (kind === 12) {
    const { lifetimeEarned, lifetimeSlashed } = placed(ledger.workers, worker);
    const most = Number(lifetimeEarned - lifetimeSlashed);
    const amount = BigInt(draws.below(Math.min(most, 300) + 1));
    ledger.slash(worker, submitter, amount, amount / 2n);
  } else if (kind === 13) {
    ledger.hold(submitter, draws.amount(200));
  }
}
