import { BubblewrapSandbox } from './bubblewrap.js';
import type { Sandbox } from './sandbox.js';
import { type ProbeCode, selfTest } from './self-test.js';
import { NamespacesSandbox, ProcessSandbox } from './weaker.js';

export type Detection =
  | { readonly ok: true; readonly sandbox: Sandbox; readonly refused: readonly string[] }
  | { readonly ok: false; readonly refused: readonly string[] };

/** From strong to weak. */
const CANDIDATES: readonly { readonly name: string; readonly make: () => Sandbox }[] = [
  { name: 'bubblewrap', make: () => new BubblewrapSandbox({ changeUser: true }) },
  { name: 'bubblewrap as root', make: () => new BubblewrapSandbox({ changeUser: false }) },
  { name: 'namespaces', make: () => new NamespacesSandbox() },
  { name: 'process', make: () => new ProcessSandbox() },
];

/** The strictest sandbox that passes its self-test here, and why each stricter one was passed over. */
export async function detectSandbox(code: ProbeCode): Promise<Detection> {
  const refused: string[] = [];
  for (const { name, make } of CANDIDATES) {
    const sandbox = make();
    const fault = await selfTest(sandbox, code);
    if (fault === null) return { ok: true, sandbox, refused };
    refused.push(`${name}: ${fault}`);
  }
  return { ok: false, refused };
}
