/**
 * The worker protocol this build speaks, newest first: this version and the one before it, so that workers and orchestrators may be
 * updated in any order. A peer and we take the highest number both list. Version 2 added `operator` to the profile.
 */
export const PROTOCOL_VERSIONS = [2, 1] as const;

export type ProtocolVersion = (typeof PROTOCOL_VERSIONS)[number];

/** The highest version both sides speak, or null when there is none. */
export function agreeOnVersion(theirs: readonly number[]): ProtocolVersion | null {
  return PROTOCOL_VERSIONS.find((version) => theirs.includes(version)) ?? null;
}
