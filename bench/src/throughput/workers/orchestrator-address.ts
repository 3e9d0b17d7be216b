/** Where an orchestrator is, and what signatures made for it must say. */
export interface OrchestratorAddress {
  /** `http://host:port`, without a path. */
  readonly url: string;
  readonly audience: string;
  readonly network: string;
}

/** The worker protocol's socket. */
export function workerSocketUrl({ url }: OrchestratorAddress): string {
  return `${url.replace(/^http/, 'ws')}/v1/worker`;
}
