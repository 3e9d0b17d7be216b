import { z } from 'zod';
import {
  AccountView,
  ArtifactView,
  BatchRequest,
  BatchResult,
  CheckpointView,
  ConsistencyProofView,
  CreatedKey,
  CreateKeyRequest,
  CreateUploadRequest,
  CreditRequest,
  DecisionView,
  InclusionProofView,
  JobDetail,
  JobPage,
  JobView,
  KeyPage,
  LedgerEntryPage,
  LogPage,
  OutputList,
  PlanView,
  TrailEventView,
  TrailPage,
  UploadView,
  WorkerPage,
  WorkerView,
  type Scope,
} from './api.js';
import { Digest } from './digest.js';
import type { ErrorCode } from './errors.js';
import { DecisionId, JobId, KeyId, UploadId, WorkerId } from './ids.js';
import { JobSpec } from './job-spec.js';
import { LoginChallenge, LoginChallengeRequest, LoginRequest, LoginResult } from './login.js';
import { JOB_STATES } from './states.js';

/** One operation of the public API: the only place its address, scope, shapes and errors are written. */
export interface Route {
  readonly method: 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: string;
  readonly summary: string;
  readonly tag: 'auth' | 'jobs' | 'artifacts' | 'workers' | 'account' | 'trail' | 'admin';
  /** `public` needs nobody; `worker` is a worker's own session; the rest is a scope of a key or login. */
  readonly access: 'public' | Scope | 'artifacts:read|worker' | 'artifacts:write|worker';
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: z.ZodType | 'bytes';
  readonly status: number;
  readonly response?: z.ZodType | 'bytes' | 'events';
  readonly errors: readonly ErrorCode[];
}

/** Most items in one page. */
export const MAX_PAGE = 200;

const limit = z.coerce.number().int().min(1).max(MAX_PAGE).default(50);
const paging = z.strictObject({ cursor: z.string().max(128).optional(), limit });
const jobParams = z.strictObject({ id: JobId });
const digestParams = z.strictObject({ digest: Digest });
const uploadParams = z.strictObject({ id: UploadId });
const idempotency = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/)
    .optional()
    .meta({ description: 'The same key within 7 days gives the first answer again.' }),
});
const range = z.object({ range: z.string().optional() });
const uploadHeaders = z.object({ 'upload-offset': z.coerce.number().int().min(0) });
const bodyErrors = ['JSON_MALFORMED', 'JSON_TOO_DEEP', 'JSON_DUPLICATE_KEY', 'JSON_FORBIDDEN_KEY', 'JSON_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE', 'VALIDATION_FAILED'] as const;
const acceptErrors = [
  ...bodyErrors,
  'IDEMPOTENCY_MISMATCH',
  'INSUFFICIENT_FUNDS',
  'NO_PRICE',
  'DEADLINE_PASSED',
  'RUNTIME_NOT_OFFERED',
  'MODEL_INVALID',
  'MODEL_TOO_LARGE',
  'MODEL_NOT_SEEDABLE',
  'DATA_INVALID',
  'ARTIFACT_MISSING',
  'VERIFY_UNSUPPORTED',
  'QUEUE_FULL',
  'TENANT_LIMIT',
] as const;

export const ROUTES = {
  createLoginChallenge: { method: 'post', path: '/v1/auth/challenge', summary: 'Ask for a message to sign', tag: 'auth', access: 'public', body: LoginChallengeRequest, status: 201, response: LoginChallenge, errors: [...bodyErrors, 'KEY_UNSOUND'] },
  login: { method: 'post', path: '/v1/auth/login', summary: 'Exchange the signed message for a short-lived token', tag: 'auth', access: 'public', body: LoginRequest, status: 201, response: LoginResult, errors: [...bodyErrors, 'LOGIN_REFUSED'] },
  createKey: { method: 'post', path: '/v1/keys', summary: 'Make an API key', tag: 'auth', access: 'keys:write', body: CreateKeyRequest, status: 201, response: CreatedKey, errors: bodyErrors },
  listKeys: { method: 'get', path: '/v1/keys', summary: 'List your API keys', tag: 'auth', access: 'keys:write', query: paging, status: 200, response: KeyPage, errors: ['CURSOR_INVALID'] },
  deleteKey: { method: 'delete', path: '/v1/keys/{id}', summary: 'Revoke an API key', tag: 'auth', access: 'keys:write', params: z.strictObject({ id: KeyId }), status: 204, errors: ['NOT_FOUND'] },
  getAccount: { method: 'get', path: '/v1/account', summary: 'Balance and holds', tag: 'account', access: 'account:read', status: 200, response: AccountView, errors: [] },
  listLedgerEntries: { method: 'get', path: '/v1/account/entries', summary: 'Ledger entries that touch your account, newest first', tag: 'account', access: 'account:read', query: paging, status: 200, response: LedgerEntryPage, errors: ['CURSOR_INVALID'] },
  createJob: { method: 'post', path: '/v1/jobs', summary: 'Submit a job', tag: 'jobs', access: 'jobs:write', headers: idempotency, body: JobSpec, status: 201, response: JobView, errors: acceptErrors },
  createJobs: { method: 'post', path: '/v1/jobs/batch', summary: 'Submit up to 100 jobs, all or none', tag: 'jobs', access: 'jobs:write', headers: idempotency, body: BatchRequest, status: 201, response: BatchResult, errors: acceptErrors },
  planJob: { method: 'post', path: '/v1/jobs/plan', summary: 'What would happen, without submitting', tag: 'jobs', access: 'jobs:read', body: JobSpec, status: 200, response: PlanView, errors: acceptErrors },
  listJobs: { method: 'get', path: '/v1/jobs', summary: 'List your jobs, newest first', tag: 'jobs', access: 'jobs:read', query: paging.extend({ state: z.enum(JOB_STATES).optional() }), status: 200, response: JobPage, errors: ['CURSOR_INVALID'] },
  getJob: { method: 'get', path: '/v1/jobs/{id}', summary: 'One job with its tasks and attempts', tag: 'jobs', access: 'jobs:read', params: jobParams, status: 200, response: JobDetail, errors: ['NOT_FOUND'] },
  cancelJob: { method: 'post', path: '/v1/jobs/{id}/cancel', summary: 'Cancel a job; cancelling twice is cancelling once', tag: 'jobs', access: 'jobs:write', params: jobParams, status: 200, response: JobView, errors: ['NOT_FOUND', 'CONFLICT'] },
  streamJobEvents: { method: 'get', path: '/v1/jobs/{id}/events', summary: 'What happens to a job, as server-sent events', tag: 'jobs', access: 'jobs:read', params: jobParams, headers: z.object({ 'last-event-id': z.string().optional() }), status: 200, response: 'events', errors: ['NOT_FOUND'] },
  listJobLogs: { method: 'get', path: '/v1/jobs/{id}/logs', summary: 'Log lines, oldest first', tag: 'jobs', access: 'jobs:read', params: jobParams, query: paging, status: 200, response: LogPage, errors: ['NOT_FOUND', 'CURSOR_INVALID'] },
  listJobOutputs: { method: 'get', path: '/v1/jobs/{id}/outputs', summary: 'Accepted outputs', tag: 'jobs', access: 'jobs:read', params: jobParams, status: 200, response: OutputList, errors: ['NOT_FOUND'] },
  putArtifact: { method: 'put', path: '/v1/artifacts/{digest}', summary: 'Store bytes under their SHA-256', tag: 'artifacts', access: 'artifacts:write|worker', params: digestParams, body: 'bytes', status: 201, response: ArtifactView, errors: ['DIGEST_MISMATCH', 'ARTIFACT_TOO_LARGE', 'QUOTA_EXCEEDED'] },
  getArtifact: { method: 'get', path: '/v1/artifacts/{digest}', summary: 'Read bytes, whole or a range', tag: 'artifacts', access: 'artifacts:read|worker', params: digestParams, headers: range, status: 200, response: 'bytes', errors: ['NOT_FOUND', 'RANGE_INVALID'] },
  createUpload: { method: 'post', path: '/v1/artifacts/uploads', summary: 'Start an upload that can be resumed', tag: 'artifacts', access: 'artifacts:write|worker', body: CreateUploadRequest, status: 201, response: UploadView, errors: [...bodyErrors, 'ARTIFACT_TOO_LARGE', 'QUOTA_EXCEEDED'] },
  getUpload: { method: 'get', path: '/v1/artifacts/uploads/{id}', summary: 'How far an upload is', tag: 'artifacts', access: 'artifacts:write|worker', params: uploadParams, status: 200, response: UploadView, errors: ['NOT_FOUND', 'UPLOAD_GONE'] },
  appendUpload: { method: 'patch', path: '/v1/artifacts/uploads/{id}', summary: 'Send the next bytes; the last ones complete it', tag: 'artifacts', access: 'artifacts:write|worker', params: uploadParams, headers: uploadHeaders, body: 'bytes', status: 200, response: UploadView, errors: ['NOT_FOUND', 'UPLOAD_GONE', 'UPLOAD_OFFSET', 'DIGEST_MISMATCH'] },
  listWorkers: { method: 'get', path: '/v1/workers', summary: 'Workers of the network', tag: 'workers', access: 'public', query: paging.extend({ state: z.enum(['online', 'draining', 'lost', 'suspended']).optional() }), status: 200, response: WorkerPage, errors: ['CURSOR_INVALID'] },
  getWorker: { method: 'get', path: '/v1/workers/{id}', summary: 'One worker', tag: 'workers', access: 'public', params: z.strictObject({ id: WorkerId }), status: 200, response: WorkerView, errors: ['NOT_FOUND'] },
  getDecision: { method: 'get', path: '/v1/decisions/{id}', summary: 'Why a task went to this worker', tag: 'trail', access: 'jobs:read', params: z.strictObject({ id: DecisionId }), status: 200, response: DecisionView, errors: ['NOT_FOUND'] },
  listTrail: { method: 'get', path: '/v1/trail', summary: 'The decision trail in order of place', tag: 'trail', access: 'public', query: z.strictObject({ from: z.coerce.number().int().min(0).default(0), limit: z.coerce.number().int().min(1).max(1000).default(200) }), status: 200, response: TrailPage, errors: [] },
  getTrailEvent: { method: 'get', path: '/v1/trail/events/{place}', summary: 'One event of the trail', tag: 'trail', access: 'public', params: z.strictObject({ place: z.coerce.number().int().min(0) }), status: 200, response: TrailEventView, errors: ['NOT_FOUND'] },
  getCheckpoint: { method: 'get', path: '/v1/trail/checkpoint', summary: 'The newest signed checkpoint', tag: 'trail', access: 'public', query: z.strictObject({ size: z.coerce.number().int().min(0).optional() }), status: 200, response: CheckpointView, errors: ['NOT_FOUND'] },
  getInclusionProof: { method: 'get', path: '/v1/trail/proof/inclusion', summary: 'Proof that an event is in a tree of a size', tag: 'trail', access: 'public', query: z.strictObject({ place: z.coerce.number().int().min(0), size: z.coerce.number().int().min(1) }), status: 200, response: InclusionProofView, errors: ['NOT_FOUND'] },
  getConsistencyProof: { method: 'get', path: '/v1/trail/proof/consistency', summary: 'Proof that a larger tree continues a smaller one', tag: 'trail', access: 'public', query: z.strictObject({ from: z.coerce.number().int().min(0), to: z.coerce.number().int().min(0) }), status: 200, response: ConsistencyProofView, errors: ['NOT_FOUND'] },
  grantCredit: { method: 'post', path: '/v1/admin/credit', summary: 'Give a wallet credit', tag: 'admin', access: 'admin', body: CreditRequest, status: 201, response: AccountView, errors: bodyErrors },
  drainWorker: { method: 'post', path: '/v1/admin/workers/{id}/drain', summary: 'Give a worker no new work', tag: 'admin', access: 'admin', params: z.strictObject({ id: WorkerId }), status: 200, response: WorkerView, errors: ['NOT_FOUND'] },
} as const satisfies Record<string, Route>;

export type OperationId = keyof typeof ROUTES;
