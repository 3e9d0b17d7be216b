import {
  agreeOnVersion,
  encodeBase58,
  LOGIN_NONCE_TTL_MS,
  loginText,
  PROTOCOL_VERSIONS,
  utf8ToBytes,
  type FromOrchestrator,
  type FromWorker,
  type LeaseRef,
  type WorkerProfile,
} from '@tidemill/protocol';
import type { Signer } from '@tidemill/protocol/node';

export type Challenge = Extract<FromOrchestrator, { type: 'challenge' }>;
type Login = Extract<FromWorker, { type: 'login' }>;

/** What the signature is meant for: the host that was connected to and, where it is known, the network. */
export interface Expected {
  readonly audience: string;
  readonly network: string | null;
}

export type ChallengeAnswer =
  | { readonly ok: true; readonly login: Login }
  | {
      readonly ok: false;
      readonly reason:
        'version_mismatch' | 'foreign_audience' | 'foreign_network' | 'malformed_challenge';
      readonly detail: string;
    };

/**
 * Signs a challenge, if it is meant for us. A stranger in the middle passes on another orchestrator's challenge to log in there as
 * us, so the audience must be the host of the address that was dialled. No field may break its line, or the signed text would
 * say something else than its fields.
 */
export function answerChallenge(
  challenge: Challenge,
  expected: Expected,
  signer: Signer,
  says: { readonly profile: WorkerProfile; readonly holding: LeaseRef[] },
): ChallengeAnswer {
  const version = agreeOnVersion(challenge.versions);
  if (version === null) {
    return refuse('version_mismatch', `it speaks ${challenge.versions.join(', ') || 'nothing'}`);
  }
  const fault = faultOf(challenge);
  if (fault !== null) return refuse('malformed_challenge', fault);
  if (challenge.audience !== expected.audience) {
    return refuse('foreign_audience', `${challenge.audience}, expected ${expected.audience}`);
  }
  if (expected.network !== null && challenge.network !== expected.network) {
    return refuse('foreign_network', `${challenge.network}, expected ${expected.network}`);
  }
  const text = loginText({
    purpose: 'worker',
    audience: challenge.audience,
    network: challenge.network,
    publicKey: signer.address,
    nonce: challenge.nonce,
    issuedAt: challenge.issuedAt,
    expiresAt: challenge.expiresAt,
  });
  return {
    ok: true,
    login: {
      type: 'login',
      versions: [...PROTOCOL_VERSIONS],
      publicKey: signer.address,
      nonce: challenge.nonce,
      signature: encodeBase58(signer.sign(utf8ToBytes(text))),
      holding: says.holding,
      profile: version >= OPERATOR_SINCE ? says.profile : withoutOperator(says.profile),
    },
  };
}

/** An older orchestrator refuses a frame with a member that it does not know. */
const OPERATOR_SINCE = 2;

export function withoutOperator(profile: WorkerProfile): WorkerProfile {
  const rest = { ...profile };
  delete rest.operator;
  return rest;
}

const ONE_WORD = /^[\x21-\x7e]+$/;

function faultOf({ network, audience, nonce, issuedAt, expiresAt }: Challenge): string | null {
  if (!ONE_WORD.test(network) || network.length > 64) return 'network';
  if (!ONE_WORD.test(audience) || audience.length > 128) return 'audience';
  if (!ONE_WORD.test(nonce) || nonce.length < 8 || nonce.length > 64) return 'nonce';
  const lifetimeMs = isoMs(expiresAt) - isoMs(issuedAt);
  // Compared with each other and not with our clock, which may be wrong: a signature good for years is what must not be made.
  if (!(lifetimeMs > 0 && lifetimeMs <= LOGIN_NONCE_TTL_MS)) return 'issuedAt and expiresAt';
  return null;
}

/** The time of an ISO 8601 text in UTC, or NaN, which fails every comparison. */
function isoMs(text: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(text) ? Date.parse(text) : Number.NaN;
}

function refuse(
  reason: Extract<ChallengeAnswer, { ok: false }>['reason'],
  detail: string,
): ChallengeAnswer {
  return { ok: false, reason, detail };
}
