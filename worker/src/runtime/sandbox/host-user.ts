/**
 * Users that belong to nobody: the range systemd takes for its dynamic users. A worker that runs as root gives each attempt one
 * of its own, so that attempts share no limits and cannot reach each other, and root's files are out of reach even outside the sandbox.
 */
const FIRST = 61_184;
const COUNT = 4_096;

let next = 0;

/** The user a confined program should run as on this machine; null to keep that of the worker, which is not root then. */
export function nextHostUser(uid: number = process.getuid?.() ?? -1): number | null {
  if (uid !== 0) return null;
  next = (next + 1) % COUNT;
  return FIRST + next;
}
