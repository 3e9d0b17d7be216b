import { Inject, Injectable } from '@nestjs/common';
import { utf8ToBytes, webhookSigned, type WebhookId } from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';
import { createHash, createHmac } from 'node:crypto';
import { SIGNER } from '../platform/platform.module.js';

/** What a message is signed as, by one version of an endpoint's secret. */
export interface Signing {
  readonly id: WebhookId;
  readonly version: number;
}

/**
 * Secrets of endpoints. They follow from the operator's key, so that no database row or backup holds one; a new operator's key
 * gives every endpoint a new secret.
 */
@Injectable()
export class WebhookSecrets {
  private readonly key: Buffer;

  constructor(@Inject(SIGNER) signer: Signer) {
    this.key = createHash('sha256')
      .update(signer.sign(utf8ToBytes('tidemill/webhook-secret/1\n')))
      .digest();
  }

  /** As the submitter is shown it: `whsec_` and 32 bytes in base64. */
  text(signing: Signing): string {
    return `whsec_${this.bytes(signing).toString('base64')}`;
  }

  /** The value of `webhook-signature`: one signature for each secret that is good now. */
  sign(signings: readonly Signing[], eventId: string, timestampS: number, body: string): string {
    return signings
      .map((signing) => {
        const mac = createHmac('sha256', this.bytes(signing));
        return `v1,${mac.update(webhookSigned(eventId, timestampS, body)).digest('base64')}`;
      })
      .join(' ');
  }

  private bytes({ id, version }: Signing): Buffer {
    return createHmac('sha256', this.key).update(`${id}:${version}`).digest();
  }
}
