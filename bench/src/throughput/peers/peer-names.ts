/** The peers, by the names of their packages. */
export const PEER_NAMES = ['graphile-worker', 'pg-boss'] as const;
export type PeerName = (typeof PEER_NAMES)[number];
