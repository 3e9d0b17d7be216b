import { fileURLToPath } from 'node:url';

/** The built program for a version of the virtual machine: v3 where a cluster takes it, v0 elsewhere. */
export const programFile = (sbpf: 'v3' | 'v0'): string =>
  fileURLToPath(new URL(`../program/settlement.${sbpf}.so`, import.meta.url));
