/** The worker protocol this build speaks, newest first. A peer and we take the highest number both list. */
export const PROTOCOL_VERSIONS = [1] as const;

export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** The highest version both sides speak, or null when there is none. */
export function agreeOnVersion(theirs: readonly number[]): ProtocolVersion | null {
  return PROTOCOL_VERSIONS.find((version) => theirs.includes(version)) ?? null;
}
