import type { components } from './generated/api.js';

type Schemas = components['schemas'];

export type JobSpec = Schemas['JobSpec'];
export type Job = Schemas['Job'];
export type JobDetail = Schemas['JobDetail'];
export type JobState = Job['state'];
export type Task = Schemas['Task'];
export type Attempt = Schemas['Attempt'];
export type JobEvent = Schemas['JobEvent'];
export type Plan = Schemas['Plan'];
export type LogLine = Schemas['LogLine'];
export type Output = Schemas['Output'];
export type Artifact = Schemas['Artifact'];
export type Account = Schemas['Account'];
export type LedgerEntry = Schemas['LedgerEntry'];
export type ApiKey = Schemas['Key'];
export type CreatedKey = Schemas['CreatedKey'];
export type CreateKey = Schemas['CreateKeyRequest'];
export type Scope = CreateKey['scopes'][number];
export type Worker = Schemas['Worker'];
export type WorkerState = Worker['state'];
export type Decision = Schemas['Decision'];
export type TrailEvent = Schemas['TrailEvent'];
export type Checkpoint = Schemas['Checkpoint'];
export type InclusionProof = Schemas['InclusionProof'];
export type ConsistencyProof = Schemas['ConsistencyProof'];
