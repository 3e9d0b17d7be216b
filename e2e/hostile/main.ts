import { constants, setPriority } from 'node:os';
import { attacks } from './attacks.js';

// All attacks side by side against the port, for so many seconds; then everything that is still open stays as it is until this
// process is ended. Says what it has made, as one line of JSON.
const [port, seconds] = process.argv.slice(2).map(Number);
if (port === undefined || seconds === undefined) throw new Error('usage: main.js PORT SECONDS');
// Attackers bring machines of their own; here they share one with those they attack, and must not win by its scheduler.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
const until = performance.now() + seconds * 1_000;
const made = await Promise.all(
  attacks.map(
    async ([name, attack]) =>
      [name, await attack({ port }, () => performance.now() < until)] as const,
  ),
);
console.log(JSON.stringify(Object.fromEntries(made)));
setInterval(() => undefined, 60_000);
