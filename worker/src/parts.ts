/** The agent without its machine: what a simulator builds a worker of. */
export { Agent } from './agent.js';
export { SessionToken } from './artifacts/session-token.js';
export { ArtifactError, type ArtifactStore } from './artifacts/store.js';
export { Runners } from './attempts/runners.js';
export type { Timers } from './clock.js';
export type { Link, Transport, TransportEvents } from './link/transport.js';
export type { Log } from './log.js';
export { MemoryOutbox } from './receipts/memory-outbox.js';
export type { Runner, RunOutcome, RunRequest } from './runtime/runner.js';
