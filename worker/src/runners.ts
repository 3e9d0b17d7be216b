import { NoopRunner } from './runtime/noop.js';
import type { Runner } from './runtime/runner.js';
import { TfjsRunner } from './runtime/tfjs/tfjs-runner.js';
import { systemClock, systemTimers } from './system-clock.js';

/** Every runtime this software has; which of them this machine can offer is found out when the agent starts. */
export const allRunners = (): Runner[] => [
  new NoopRunner(systemClock, systemTimers),
  new TfjsRunner(),
];
