/** How often and how patiently calls that may be repeated are repeated. */
export interface RetryPolicy {
  /** Tries after the first one. */
  readonly retries: number;
  /** Wait before the first repetition; doubled for each further one, with jitter. */
  readonly baseMs: number;
  /** Longest single wait. An answer that asks for a longer one is given to the caller at once. */
  readonly maxWaitMs: number;
}

export const DEFAULT_RETRY: RetryPolicy = { retries: 4, baseMs: 250, maxWaitMs: 20_000 };

/** What came of one try: an answer, or a connection that failed. */
export type Tried =
  | { readonly kind: 'answer'; readonly status: number; readonly retryAfter: string | null }
  | { readonly kind: 'no-connection' };

/** POSTs that may be sent twice without an Idempotency-Key: they read, name what they do, or leave behind only what expires. */
const HARMLESS_POSTS = /\/(plan|cancel|auth\/challenge|artifacts\/uploads|admin\/credit|drain)$/;

/** Whether a request may be sent twice. PATCH is not: an upload asks for its offset before it goes on. */
export function mayRepeat(request: Request): boolean {
  if (request.method === 'PATCH') return false;
  if (request.method !== 'POST') return true;
  return (
    request.headers.has('idempotency-key') || HARMLESS_POSTS.test(new URL(request.url).pathname)
  );
}

/** Milliseconds to wait before trying again, or null when what came is final. `random` is in [0, 1). */
export function waitBeforeRetry(
  tried: Tried,
  triesSoFar: number,
  policy: RetryPolicy,
  { random, nowMs }: { random: number; nowMs: number },
): number | null {
  if (triesSoFar > policy.retries) return null;
  if (tried.kind === 'answer') {
    if (tried.status !== 429 && tried.status !== 503) return null;
    const asked = parseRetryAfter(tried.retryAfter, nowMs);
    // Spread a little, or everybody who was sent away comes back in the same instant.
    if (asked !== null) return asked <= policy.maxWaitMs ? asked + random * policy.baseMs : null;
  }
  const backoff = policy.baseMs * 2 ** (triesSoFar - 1);
  return Math.min(backoff * (0.5 + random), policy.maxWaitMs);
}

function parseRetryAfter(text: string | null, nowMs: number): number | null {
  if (text === null) return null;
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
