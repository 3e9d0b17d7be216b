import type { Hardware, HardwareProbe } from './probe.js';

/** Hardware that is what it is told to be: for tests and simulation. */
export function fixedProbe(hardware: Hardware): HardwareProbe {
  return { probe: () => Promise.resolve(hardware) };
}
