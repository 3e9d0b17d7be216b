/** Somebody asked the command to end. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}
