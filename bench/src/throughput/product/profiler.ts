/**
 * Loaded into the orchestrator with `--import` when a profile is asked for: the signal SIGUSR2 starts V8's CPU profiler, and the
 * next one writes what it saw. So a profile holds the measured jobs and neither the start nor the warm-up.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

const folder = process.env['BENCH_PROFILE_DIR'] ?? '.';
const session = new Session();
session.connect();
session.post('Profiler.enable');

let isRunning = false;
process.on('SIGUSR2', () => {
  isRunning = !isRunning;
  if (isRunning) {
    session.post('Profiler.start');
    return;
  }
  session.post('Profiler.stop', (error, { profile }) => {
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `orchestrator-${Date.now()}.cpuprofile`);
    if (error === null) writeFileSync(file, JSON.stringify(profile));
    process.stderr.write(`profile written to ${file}\n`);
  });
});
