// Run inside a sandbox, or beside it to show that a probe can succeed at all: does one thing and says how that went on descriptor 3.
import { spawn, spawnSync } from 'node:child_process';
import { promises as dns } from 'node:dns';
import fs from 'node:fs';
import net from 'node:net';
import process from 'node:process';

const [verb, ...words] = process.argv.slice(2);

/** `done`, or the code of what stood in the way. */
function attempt(work) {
  try {
    work();
    return 'done';
  } catch (error) {
    return error.code ?? error.message;
  }
}

function connect(options) {
  return new Promise((resolve) => {
    const settle = (result) => {
      socket.destroy();
      resolve(result);
    };
    const socket = net.connect(options, () => settle('done'));
    socket.on('error', (error) => settle(error.code ?? error.message));
    socket.setTimeout(1_500, () => settle('silence'));
  });
}

const verbs = {
  /** Runs the native program and passes on what it said. */
  native: () => {
    const { stdout, stderr, status, signal, error } = spawnSync(words[0], words.slice(1), {
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { stdout, stderr, status, signal, error: error?.code };
  },
  status: () =>
    Object.fromEntries(
      fs
        .readFileSync('/proc/self/status', 'utf8')
        .split('\n')
        .map((line) => line.split(/:\s*/)),
    ),
  environment: () => process.env,
  list: () =>
    Object.fromEntries(
      words.map((path) => [
        path,
        attempt(() => fs.readdirSync(path)) === 'done' ? fs.readdirSync(path) : null,
      ]),
    ),
  mounts: () => fs.readFileSync('/proc/self/mounts', 'utf8'),
  read: () => Object.fromEntries(words.map((path) => [path, attempt(() => fs.readFileSync(path))])),
  // opens for writing and writes nothing: what could be opened could have been written
  openForWriting: () =>
    Object.fromEntries(
      words.map((path) => [path, attempt(() => fs.closeSync(fs.openSync(path, 'r+')))]),
    ),
  create: () =>
    Object.fromEntries(
      words.map((path) => [path, attempt(() => fs.writeFileSync(`${path}/made-by-a-probe`, 'x'))]),
    ),
  connect: async () =>
    Object.fromEntries(
      await Promise.all(words.map(async (word) => [word, await connect(JSON.parse(word))])),
    ),
  lookup: async () =>
    dns.lookup(words[0]).then(
      () => 'done',
      (error) => error.code,
    ),
  descriptors: () => {
    let opened = 0;
    const end = attempt(() => {
      for (; opened < 100_000; opened++) fs.openSync('/dev/null', 'r');
    });
    return { opened, end };
  },
  spin: () => {
    for (;;) Math.sqrt(Math.random());
  },
  flood: () => {
    const line = `${'x'.repeat(1_000)}\n`.repeat(64);
    const untilMs = Date.now() + Number(words[0]);
    while (Date.now() < untilMs) attempt(() => fs.writeSync(1, line)); // and again when there is no room
    return 'done';
  },
  leave: () => {
    // a process that wants to outlive the one that was started
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      detached: true,
      stdio: 'ignore',
    }).unref();
    return 'done';
  },
};

const result = await verbs[verb]();
fs.writeSync(3, JSON.stringify(result));
process.exit(0);
