export type { ArtifactSource } from './byte-source.js';
export type { StoredArtifact } from './artifacts.js';
export type { Clock } from './clock.js';
export type { EventsOptions, StreamedEvent } from './events.js';
export { type CreateOptions, isOver, type JobFilter, type WaitOptions } from './jobs.js';
export type { Login, LoginSigner } from './login.js';
export type { Page, Paging } from './pages.js';
export type { RetryPolicy } from './retry.js';
export { Tidemill, type TidemillOptions } from './tidemill.js';
export { TidemillError, type TidemillErrorCode } from './tidemill-error.js';
export {
  verifyWebhook,
  WebhookError,
  type ReceivedWebhook,
  type VerifiedWebhook,
} from './verify-webhook.js';
export type * from './types.js';
