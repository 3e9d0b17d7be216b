import { TAGS, utf8ToBytes, type Sha256 } from '../crypto.js';

/** Longest kind and subject of an event, in characters. */
export const MAX_TRAIL_NAME = 128;

/** What a trail event's digest covers. `body` is JSON text and is hashed as it stands, never spelled again. */
export interface DigestedEvent {
  /** What happened, such as `job.accepted`. */
  readonly kind: string;
  /** What it happened to: an id. */
  readonly subject: string;
  /** When the writer says it happened, in milliseconds since 1970. */
  readonly atMs: number;
  readonly body: string;
}

/**
 * Kind and subject stand on lines of their own under the digest, so a line break in one of them would let two events share
 * a digest. Printable ASCII without spaces keeps them apart for good.
 */
export function isTrailName(text: string): boolean {
  return text.length <= MAX_TRAIL_NAME && /^[\x21-\x7e]+$/.test(text);
}

/** `SHA-256(tag ⏎ kind ⏎ subject ⏎ atMs ⏎ body)`, 32 bytes. Kind and subject must be trail names. */
export function trailDigest(event: DigestedEvent, sha256: Sha256): Uint8Array {
  // One text for tag and event: the same bytes as `tagged`, encoded once, since this runs for every event written.
  return sha256(
    utf8ToBytes(
      `${TAGS.trailEvent}\n${event.kind}\n${event.subject}\n${event.atMs}\n${event.body}`,
    ),
  );
}
