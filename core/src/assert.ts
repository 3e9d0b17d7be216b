/** A bug of ours was found: the state cannot be, so nothing that follows can be trusted. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Stops on a bug. For what the outside world may cause there are results and named errors instead. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
