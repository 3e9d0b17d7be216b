import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import type * as Tf from '@tensorflow/tfjs';
import type { Backend } from '../wire.js';
import { cpuLevel } from './cpu-level.js';
import { ChildFault } from './fault.js';

export interface Engine {
  readonly tf: typeof Tf;
  readonly backend: 'tensorflow' | 'wasm';
  readonly runtimeClass: string;
}

const require = createRequire(import.meta.url);

/** Loads TensorFlow: the native library, or WebAssembly where that is wanted or all there is. One thread either way. */
export async function loadEngine(wanted: Backend): Promise<Engine> {
  restoreOldNodeFunctions();
  if (wanted === 'wasm') return loadWasm();
  try {
    return loadNative();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (wanted === 'tensorflow')
      throw new ChildFault('RUNTIME_UNAVAILABLE', `the native TensorFlow does not load: ${why}`, {
        cause: error,
      });
    return loadWasm();
  }
}

function loadNative(): Engine {
  const tf = require('@tensorflow/tfjs-node') as typeof Tf; // it re-exports all of @tensorflow/tfjs
  const { binding } = tf.backend() as unknown as { binding: { TF_Version: string } }; // the native backend's only door to its version
  return { tf, backend: 'tensorflow', runtimeClass: className('tensorflow', binding.TF_Version) };
}

async function loadWasm(): Promise<Engine> {
  const tf = require('@tensorflow/tfjs') as typeof Tf;
  const wasm =
    require('@tensorflow/tfjs-backend-wasm') as typeof import('@tensorflow/tfjs-backend-wasm');
  const root = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  wasm.setWasmPaths(join(root, 'dist/'));
  wasm.setThreadsCount(1);
  if (!(await tf.setBackend('wasm')))
    throw new ChildFault(
      'RUNTIME_UNAVAILABLE',
      'neither the native nor the WebAssembly TensorFlow loads',
    );
  await tf.ready();
  return { tf, backend: 'wasm', runtimeClass: className('wasm', wasm.version_wasm) };
}

/** See the schema `RuntimeClass` of the protocol. oneDNN is switched off by the host, in the child's environment. */
function className(backend: Engine['backend'], version: string): string {
  return `tfjs/${backend}/${version}/${cpuLevel(readFileSync('/proc/cpuinfo', 'latin1'), process.arch)}/onednn-off`;
}

/** tfjs-node 4.22 calls functions that Node 22 warns of at every start and Node 24 has dropped. */
function restoreOldNodeFunctions(): void {
  const old = util as unknown as Record<string, unknown>; // members that the types of newer Node no longer list
  old['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  old['isArray'] = Array.isArray;
}
