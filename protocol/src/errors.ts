import { z } from 'zod';
import { ExceededBudget } from './budget.js';

/** One stable error code: the HTTP status it comes with, its title, and what to do next. A code is never given another meaning. */
interface ErrorKind {
  readonly status: number;
  readonly title: string;
  readonly next: string;
}

export const ERRORS = {
  // requests
  JSON_MALFORMED: {
    status: 400,
    title: 'The body is not JSON',
    next: 'Send one valid JSON document.',
  },
  JSON_TOO_DEEP: {
    status: 400,
    title: 'The JSON is nested too deeply',
    next: 'Flatten the document to at most 64 levels.',
  },
  JSON_DUPLICATE_KEY: {
    status: 400,
    title: 'A key stands twice',
    next: 'Keep one of the two members.',
  },
  JSON_FORBIDDEN_KEY: { status: 400, title: 'A key is not allowed', next: 'Rename the member.' },
  JSON_TOO_LARGE: {
    status: 413,
    title: 'The body is too large',
    next: 'Send less in one request, or large data as an artifact.',
  },
  VALIDATION_FAILED: {
    status: 422,
    title: 'The request does not fit its schema',
    next: 'Correct the members named in errors.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'The content type is not supported',
    next: 'Send Content-Type: application/json.',
  },
  NOT_FOUND: {
    status: 404,
    title: 'There is nothing here for you',
    next: 'Check the address and that your key belongs to the owner.',
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'The method is not allowed here',
    next: 'See /docs for the methods of this address.',
  },
  IDEMPOTENCY_MISMATCH: {
    status: 409,
    title: 'This Idempotency-Key was used with another body',
    next: 'Use a new key for a new request.',
  },
  CURSOR_INVALID: {
    status: 422,
    title: 'The cursor is not one of ours',
    next: 'Use nextCursor of the page before, unchanged.',
  },
  CONFLICT: {
    status: 409,
    title: 'The state does not allow this',
    next: 'Read the resource again and decide on its present state.',
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests',
    next: 'Wait for the seconds in Retry-After.',
  },
  QUEUE_FULL: {
    status: 503,
    title: 'The network accepts no more jobs at the moment',
    next: 'Wait for the seconds in Retry-After and send the same Idempotency-Key again.',
  },
  TENANT_LIMIT: {
    status: 429,
    title: 'Too many of your jobs are open',
    next: 'Wait until some finish, or cancel some.',
  },
  UNAVAILABLE: {
    status: 503,
    title: 'The service cannot answer at the moment',
    next: 'Try again in a few seconds with the same Idempotency-Key.',
  },
  INTERNAL: {
    status: 500,
    title: 'A fault of ours',
    next: 'Try again; report the trace id if it stays.',
  },
  // who is asking
  UNAUTHENTICATED: {
    status: 401,
    title: 'Who are you?',
    next: 'Send Authorization: Bearer with an API key or a login token (tidemill login).',
  },
  FORBIDDEN: {
    status: 403,
    title: 'Your key may not do this',
    next: 'Use a key with the scope named in detail.',
  },
  LOGIN_REFUSED: {
    status: 401,
    title: 'The login is not valid',
    next: 'Ask for a new challenge and sign exactly its message.',
  },
  ORDER_REFUSED: {
    status: 403,
    title: "This is not an order of the worker's owner",
    next: 'Sign it with the key that detail names, with a clock that is right, for this worker and network.',
  },
  KEY_UNSOUND: {
    status: 422,
    title: 'This public key cannot identify anybody',
    next: 'Make a new key pair.',
  },
  // jobs
  RUNTIME_NOT_OFFERED: {
    status: 422,
    title: 'No worker software here offers this runtime',
    next: 'Use one of the runtimes named in detail.',
  },
  INSUFFICIENT_FUNDS: {
    status: 402,
    title: 'The balance does not cover the hold',
    next: 'Add the missing amount, or lower limits.maxCost, maxDuration or nodes.',
  },
  BUDGET_EXCEEDED: {
    status: 402,
    title: 'The budget does not cover the hold',
    next: 'Wait until the budget renews or open jobs end, lower limits.maxCost, or raise it: PUT /v1/account/budget or /v1/keys/{id}/budget.',
  },
  NO_PRICE: {
    status: 422,
    title: 'No price can be derived',
    next: 'Give limits.maxCost, or a maximum price, since no feasible worker has an ask.',
  },
  DEADLINE_PASSED: {
    status: 422,
    title: 'The deadline is in the past',
    next: 'Give a later limits.deadline.',
  },
  MODEL_INVALID: {
    status: 422,
    title: 'The model is not one we can run',
    next: 'Correct the layer named in detail.',
  },
  MODEL_TOO_LARGE: {
    status: 422,
    title: 'The model is too large',
    next: 'Use fewer units, or a runtime without this limit.',
  },
  MODEL_NOT_SEEDABLE: {
    status: 422,
    title: 'A layer cannot be repeated from a seed',
    next: 'Remove the layer, or set verify to none.',
  },
  DATA_INVALID: {
    status: 422,
    title: 'The data cannot be used',
    next: 'Correct the row or column named in detail.',
  },
  ARTIFACT_MISSING: {
    status: 422,
    title: 'An input is not stored here, or not yours to read',
    next: 'Upload it first: PUT /v1/artifacts/{digest}.',
  },
  VERIFY_UNSUPPORTED: {
    status: 422,
    title: 'This work cannot be verified that way',
    next: 'Choose another verify class.',
  },
  PROVENANCE_TOO_LARGE: {
    status: 413,
    title: 'The job is too large for one bundle',
    next: 'Check its receipts one by one, and its events in the trail.',
  },
  WITNESS_REFUSED: {
    status: 422,
    title: 'This is no signature of a witness',
    next: 'Sign the newest checkpoint as docs/evidence.md says, at the present time.',
  },
  // money on chain
  CREDIT_ON_CHAIN: {
    status: 409,
    title: 'This network pays on chain, so credit is a deposit',
    next: 'Deposit on chain in the name of the submitter, as detail says.',
  },
  NO_CHAIN: {
    status: 404,
    title: 'This network does not pay on chain',
    next: 'See /v1/account/entries or /v1/workers/{id}/earnings for what was booked.',
  },
  COSIGNER_REFUSED: {
    status: 422,
    title: 'This is not the word of a co-signer on this epoch',
    next: 'Sign the statement of GET /v1/epochs/{number} with a key that the operator has named.',
  },
  // webhooks
  WEBHOOK_URL_REFUSED: {
    status: 422,
    title: 'This address cannot be an endpoint',
    next: 'Use https and a host that is reached over the public internet.',
  },
  // artifacts
  DIGEST_MISMATCH: {
    status: 422,
    title: 'The bytes do not have this digest',
    next: 'Send the bytes again, or correct the digest.',
  },
  ARTIFACT_TOO_LARGE: {
    status: 413,
    title: 'The artifact is larger than allowed',
    next: 'Split it.',
  },
  QUOTA_EXCEEDED: {
    status: 413,
    title: 'Your storage is full',
    next: 'Delete artifacts, or ask the operator for more.',
  },
  RANGE_INVALID: {
    status: 416,
    title: 'The range is outside the artifact',
    next: 'Ask for bytes inside its size.',
  },
  UPLOAD_OFFSET: {
    status: 409,
    title: 'The upload continues elsewhere',
    next: 'Ask HEAD for Upload-Offset and continue there.',
  },
  FORGOTTEN: {
    status: 410,
    title: 'This was kept for its time and is forgotten',
    next: 'What the trail and the ledger say of it stays; keep a bundle of provenance for longer.',
  },
  UPLOAD_GONE: { status: 410, title: 'The upload has expired', next: 'Start a new upload.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** An RFC 9457 problem document: a stable code, what was wrong, where, and the next step. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    next: z.string(),
    instance: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    missing: z
      .string()
      .optional()
      .meta({ description: 'Base units missing, for INSUFFICIENT_FUNDS.' }),
    budget: ExceededBudget.optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** Why a worker's socket is closed: codes of the private range of RFC 6455. */
export const CLOSE = {
  badFrame: { code: 4400, reason: 'BAD_FRAME' },
  unauthenticated: { code: 4401, reason: 'UNAUTHENTICATED' },
  versionMismatch: { code: 4406, reason: 'VERSION_MISMATCH' },
  loginTimeout: { code: 4408, reason: 'LOGIN_TIMEOUT' },
  replaced: { code: 4409, reason: 'REPLACED_BY_NEWER' },
  silent: { code: 4410, reason: 'SILENT' },
  tooSlow: { code: 4413, reason: 'READS_TOO_SLOWLY' },
  suspended: { code: 4403, reason: 'SUSPENDED' },
  tooFast: { code: 4429, reason: 'RATE_LIMITED' },
  tooMany: { code: 4430, reason: 'TOO_MANY_SOCKETS' },
  goingAway: { code: 1001, reason: 'GOING_AWAY' },
} as const;
