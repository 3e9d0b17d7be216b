import { Problem } from '@tidemill/protocol';
import { expect } from 'vitest';

/** What the API said. A body that is no JSON is given as text. */
export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Asked {
  readonly body?: unknown;
  /** Sent as it is instead of `body`. */
  readonly text?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 30_000;

/** The API of an orchestrator, as whoever holds the token; nothing is retried and no status is an exception. */
export class Http {
  constructor(
    readonly url: string,
    readonly token: string | null = null,
  ) {}

  get<T>(path: string, headers?: Asked['headers']): Promise<Answer<T>> {
    return this.ask<T>('GET', path, headers === undefined ? {} : { headers });
  }

  post<T>(path: string, body?: unknown, headers?: Asked['headers']): Promise<Answer<T>> {
    return this.ask<T>('POST', path, { body, ...(headers === undefined ? {} : { headers }) });
  }

  async ask<T>(
    method: string,
    path: string,
    { body, text, headers }: Asked = {},
  ): Promise<Answer<T>> {
    const sent = text ?? (body === undefined ? null : JSON.stringify(body));
    const response = await fetch(this.url + path, {
      method,
      body: sent,
      headers: {
        ...(sent === null ? {} : { 'content-type': 'application/json' }),
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const said = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(said) as T };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Holds an answer to what every refusal promises, and gives its problem document. */
export function problemOf(answer: Answer): Problem {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = Problem.parse(answer.body);
  expect(problem.status).toBe(answer.status);
  expect(problem.type).toBe(`urn:tidemill:error:${problem.code}`);
  expect(problem.next).not.toBe('');
  expect(problem.detail).not.toBe('');
  return problem;
}
