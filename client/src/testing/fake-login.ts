import { decodeBase58, type LoginMessage, loginText, utf8ToBytes } from '@tidemill/protocol';
import { nodeVerifier } from '@tidemill/protocol/node';
import { type Handler, refusal } from './fake-orchestrator.js';

const verify = nodeVerifier();

interface FakeLogin {
  readonly routes: Record<string, Handler>;
  /** Tokens given out, in order. */
  readonly tokens: string[];
}

/**
 * The two routes of a login, with real signatures. The audience is the address that was asked unless `change` says otherwise;
 * `reword` alters the text itself.
 */
export function fakeLogin({
  change = {},
  reword = (text) => text,
  expiresAt = '2030-01-01T12:00:00.000Z',
}: {
  change?: Partial<LoginMessage>;
  reword?: (text: string) => string;
  expiresAt?: string;
} = {}): FakeLogin {
  const tokens: string[] = [];
  let message = '';
  return {
    tokens,
    routes: {
      'POST /v1/auth/challenge': (request) => {
        const { publicKey } = request.json() as { publicKey: string };
        message = reword(
          loginText({
            purpose: 'submitter',
            audience: request.headers.host ?? '',
            network: 'localnet',
            publicKey,
            nonce: 'nonce-1',
            issuedAt: '2030-01-01T00:00:00.000Z',
            expiresAt: '2030-01-01T00:01:00.000Z',
            ...change,
          }),
        );
        return {
          status: 201,
          json: { message, nonce: 'nonce-1', expiresAt: '2030-01-01T00:01:00.000Z' },
        };
      },
      'POST /v1/auth/login': (request) => {
        const body = request.json() as { publicKey: string; nonce: string; signature: string };
        const key = decodeBase58(body.publicKey);
        const signature = decodeBase58(body.signature);
        if (key === null || signature === null || !verify(key, utf8ToBytes(message), signature)) {
          return refusal('LOGIN_REFUSED', 'the signature is not of this key');
        }
        tokens.push(`token-${tokens.length + 1}`);
        return { status: 201, json: { token: tokens.at(-1), expiresAt, accountId: 'acc_1' } };
      },
    },
  };
}
