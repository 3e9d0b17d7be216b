import { Injectable } from '@nestjs/common';
import { lookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { TargetRules } from './target-rules.js';

/** From the name's look-up to the last byte: an endpoint should take a message in and work later. */
const DEADLINE_MS = 10_000;
/** Of an answer only the status counts; what is longer is cut off. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_ERROR_LENGTH = 200;

export interface Outgoing {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an endpoint answered, or why there was no answer. */
export interface Sent {
  readonly status: number | null;
  readonly error: string | null;
}

/** Sends one message. Never throws. A port: tests bring their own network. */
export abstract class Sender {
  abstract send(message: Outgoing, stop: AbortSignal): Promise<Sent>;
}

/** Over HTTP, without redirects, to an address that was looked at: a name that resolves to an inside address later does not help. */
@Injectable()
export class HttpSender extends Sender {
  constructor(private readonly rules: TargetRules) {
    super();
  }

  async send(message: Outgoing, stop: AbortSignal): Promise<Sent> {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(DEADLINE_MS)]);
    try {
      const url = this.rules.check(message.url);
      return await this.post(url, await before(signal, this.addressOf(url)), message, signal);
    } catch (cause) {
      const why = signal.aborted ? `no answer within ${DEADLINE_MS / 1_000} s` : textOf(cause);
      return { status: null, error: why.slice(0, MAX_ERROR_LENGTH) };
    }
  }

  /** The first of the host's addresses. One inside address among them is enough to refuse: the next try could get that one. */
  private async addressOf(url: URL): Promise<{ address: string; family: number }> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const family = isIP(host);
    const found = family === 0 ? await this.addressesOf(host) : [{ address: host, family }];
    const wrong = found.find(({ address }) => !this.rules.mayConnect(address));
    if (wrong !== undefined) throw new Error(`${host} is not reached over the public internet`);
    const [first] = found;
    if (first === undefined) throw new Error(`${host} has no address`);
    return first;
  }

  protected addressesOf(host: string): Promise<{ address: string; family: number }[]> {
    return lookup(host, { all: true });
  }

  private post(
    url: URL,
    { address, family }: { address: string; family: number },
    { headers, body }: Outgoing,
    signal: AbortSignal,
  ): Promise<Sent> {
    const checked: LookupFunction = (_host, options, callback) => {
      if (options.all) callback(null, [{ address, family }]);
      else callback(null, address, family);
    };
    return new Promise((resolve, reject) => {
      const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const sending = request(
        url,
        { method: 'POST', headers, signal, lookup: checked, agent: false },
        (response) => resolve(answerOf(response)),
      );
      sending.on('error', reject);
      sending.end(body);
    });
  }
}

/** What is waited for, or a rejection as soon as the signal is given: a resolver that says nothing cannot be told to stop. */
function before<T>(signal: AbortSignal, wait: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Error('stopped'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** The status, once the answer has been read as far as it is wanted. */
function answerOf(response: IncomingMessage): Promise<Sent> {
  const status = response.statusCode ?? 0;
  const sent = {
    status,
    error: status >= 200 && status < 300 ? null : `answered ${status}`,
  };
  return new Promise((resolve) => {
    let bytes = 0;
    const done = (): void => {
      response.destroy();
      resolve(sent);
    };
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) done();
    });
    response.on('end', done).on('error', done).on('close', done);
  });
}

function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'failed';
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : '';
  return `${code}${cause.message}`;
}
