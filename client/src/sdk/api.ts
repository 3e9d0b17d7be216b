import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './generated/api.js';
import { TidemillError } from './tidemill-error.js';
import type { Transport } from './transport.js';

/** The typed operations, sent by the transport; what comes back is always a success. */
export type Api = Client<paths>;

export function openApi(baseUrl: string, transport: Transport): Api {
  return createClient<paths>({
    baseUrl,
    fetch: (request) => transport.send(() => request.clone(), { signal: request.signal }),
  });
}

/** The body of an answer. The transport has thrown already when it was not a success. */
export function bodyOf<T>(answer: { readonly data?: T; readonly response: Response }): T {
  if (answer.data !== undefined) return answer.data;
  throw new TidemillError({
    code: 'BAD_ANSWER',
    status: answer.response.status,
    title: 'The answer has no body',
    detail: `${answer.response.url} answered ${answer.response.status} without a body`,
    next: 'Check that the address is that of an orchestrator.',
  });
}
