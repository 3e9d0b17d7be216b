/** Clients on one address; the orchestrator takes at most 32 worker sockets from one. */
const SOCKETS_PER_ADDRESS = 25;

/**
 * The loopback address that client number `index` connects from. All of 127.0.0.0/8 is this machine, so thousands of clients
 * can come from many addresses as they would from the internet. 127.0.0.1 is left to others.
 */
export function loopbackAddress(index: number): string {
  const host = 2 + Math.floor(index / SOCKETS_PER_ADDRESS);
  return `127.0.${Math.floor(host / 250)}.${(host % 250) + 1}`;
}
