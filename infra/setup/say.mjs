import process from 'node:process';

const HEARTBEAT_MS = 15_000;

/** Prints one plain line. */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * Says what begins, that it still goes on when it takes long, and how long it took.
 * @template T
 * @param {string} what begins with a verb: "installing the npm packages"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function during(what, work) {
  const start = performance.now();
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
  say(`set-up: ${what} …`);
  const heartbeat = setInterval(
    () => say(`set-up:   still ${what} (${seconds()} s)`),
    HEARTBEAT_MS,
  );
  try {
    const result = await work();
    say(`set-up:   done in ${seconds()} s`);
    return result;
  } finally {
    clearInterval(heartbeat);
  }
}
