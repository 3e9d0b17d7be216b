import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { JobSpec } from '../../sdk/types.js';
import { CliError } from '../failure.js';
import type { Io } from '../io.js';

/** A job as somebody wrote it down, and the folder that its paths start from. */
export interface WrittenSpec {
  readonly spec: JobSpec;
  readonly folder: string;
}

/** The jobs in a YAML or JSON file, or on standard input (`-`); several stand between `---` lines. */
export async function readSpecs(
  file: string,
  io: Pick<Io, 'cwd' | 'readStdin'>,
): Promise<WrittenSpec[]> {
  const path = resolve(io.cwd, file);
  const text = file === '-' ? await io.readStdin() : await readText(path, file);
  const folder = file === '-' ? io.cwd : dirname(path);
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  const specs = [...documents].map((document) => {
    const fault = document.errors[0];
    if (fault !== undefined) throw invalid(file, fault.message);
    // A bound on aliases: a few lines of them could otherwise unfold to gigabytes.
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  });
  const written = specs
    .filter((spec) => spec !== null)
    .map((spec) => ({ spec: asSpec(spec, file), folder }));
  if (written.length === 0) throw invalid(file, 'it is empty');
  return written;
}

async function readText(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : String(code);
    throw new CliError(
      `${file} cannot be read: ${why}.`,
      'Name a job file, or - for standard input.',
      undefined,
      {
        cause,
      },
    );
  }
}

function asSpec(value: unknown, file: string): JobSpec {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('kind' in value)) {
    throw invalid(file, 'a job is a mapping with a kind and a runtime');
  }
  return value as JobSpec; // The orchestrator checks every member and names the wrong ones.
}

const invalid = (file: string, why: string) =>
  new CliError(
    `${file} is not a job file: ${why}`,
    'A job names its kind and one runtime; try first: tidemill run --noop 2s',
  );
