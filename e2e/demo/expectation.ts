/** The demo promised something that did not happen. */
class ExpectationFailed extends Error {
  override readonly name = 'ExpectationFailed';
}

/** Ends the demo when something promised did not happen. */
export function expect(holds: boolean, promise: string, found: string): asserts holds {
  if (!holds) throw new ExpectationFailed(`${promise}, but ${found}`);
}
