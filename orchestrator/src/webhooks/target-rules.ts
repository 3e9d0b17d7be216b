import { Injectable } from '@nestjs/common';
import { isIP } from 'node:net';
import { Config } from '../config/env.js';
import { ProblemError } from '../platform/http/problem.js';
import { isPublicAddress } from './inside-addresses.js';

/** Names that mean this machine or the operator's network, whatever a resolver says. */
const INSIDE_NAME = /(^|\.)(localhost|local|internal|home\.arpa)\.?$/i;

/** Where webhooks may go: outside, over https; anywhere on a network that its operator runs for itself. */
@Injectable()
export class TargetRules {
  constructor(private readonly config: Config) {}

  /** @throws ProblemError WEBHOOK_URL_REFUSED. A name is looked at again at every delivery, when its addresses are known. */
  check(text: string): URL {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null) throw refused(`${text} is not an address.`);
    if (this.config.webhookTargets === 'any') return url;
    if (url.protocol !== 'https:') throw refused('Only https is taken.');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) === 0 ? INSIDE_NAME.test(host) || !host.includes('.') : !isPublicAddress(host))
      throw refused(`${host} is not reached over the public internet.`);
    return url;
  }

  /** Whether a connection to this address may be opened. */
  mayConnect(address: string): boolean {
    return this.config.webhookTargets === 'any' || isPublicAddress(address);
  }
}

const refused = (detail: string) => new ProblemError('WEBHOOK_URL_REFUSED', detail);
