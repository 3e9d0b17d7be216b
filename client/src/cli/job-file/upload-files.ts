import { resolve } from 'node:path';
import type { Tidemill } from '../../sdk/tidemill.js';
import type { JobSpec } from '../../sdk/types.js';
import { CliError } from '../failure.js';
import type { WrittenSpec } from './read-specs.js';

export interface UploadedFile {
  /** As the spec names it. */
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

/** A text that names a local file: `./x.npy`, `../x.npy` or `file:x.npy`. */
const LOCAL_FILE = /^(?:file:|(?=\.\.?\/))(.+)$/s;

/** The spec with every local file stored and named by its digest instead. Only the tfjs runtime names files. */
export async function uploadFiles(
  { spec, folder }: WrittenSpec,
  artifacts: Pick<Tidemill['artifacts'], 'put'>,
  seen: (file: UploadedFile) => void,
): Promise<JobSpec> {
  // Nobody has checked the file yet, so the runtime may be missing.
  const tfjs = (spec as Partial<JobSpec>).runtime?.tfjs;
  if (tfjs === undefined) return spec;
  const digests = new Map<string, string>();
  for (const name of localFiles(tfjs)) {
    const stored = await put(artifacts, name, folder);
    digests.set(name, stored.digest);
    seen({ name, ...stored });
  }
  const named = replaceTexts(tfjs, (text) => digests.get(text) ?? text);
  return { ...spec, runtime: { ...spec.runtime, tfjs: named as typeof tfjs } }; // The same shape, other texts.
}

function localFiles(value: unknown): Set<string> {
  const found = new Set<string>();
  replaceTexts(value, (text) => {
    if (LOCAL_FILE.test(text)) found.add(text);
    return text;
  });
  return found;
}

async function put(artifacts: Pick<Tidemill['artifacts'], 'put'>, name: string, folder: string) {
  const path = resolve(folder, LOCAL_FILE.exec(name)?.[1] ?? name);
  try {
    return await artifacts.put({ path });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw cause;
    const next = 'Paths in a job file start from the folder of that file.';
    throw new CliError(
      `${name}, which the job names, cannot be read at ${path}.`,
      next,
      undefined,
      { cause },
    );
  }
}

function replaceTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => replaceTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, replaceTexts(member, change)]),
  );
}
