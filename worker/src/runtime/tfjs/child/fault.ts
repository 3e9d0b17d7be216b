import type { ChildFailure } from '../wire.js';

/** Ends a child's work with a code that the host passes on. */
export class ChildFault extends Error {
  override readonly name = 'ChildFault';

  constructor(
    readonly code: ChildFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What to call an error that TensorFlow or JavaScript threw while `doing` something for the job. */
export function asChildFault(error: unknown, doing: string): ChildFault {
  if (error instanceof ChildFault) return error;
  const message = error instanceof Error ? error.message : String(error);
  const text = `${doing}: ${message}`.slice(0, 2_000);
  if (
    /allocation failed|out of memory|cannot allocate|OOM when allocating|Invalid typed array length/i.test(
      message,
    )
  )
    return new ChildFault('OUT_OF_MEMORY', text, { cause: error });
  // WebAssembly lacks some gradients; a worker with the native library has them
  if (/not registered for (?:the )?backend/i.test(message))
    return new ChildFault('RUNTIME_UNSUPPORTED', text, { cause: error });
  return new ChildFault('MODEL_INVALID', text, { cause: error });
}
