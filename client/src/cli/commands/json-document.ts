import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CliError } from '../failure.js';
import type { Session } from '../session.js';

/** What a file holds as JSON. @throws CliError that names the file */
export async function jsonDocument(session: Session, file: string): Promise<unknown> {
  const path = resolve(session.io.cwd, file);
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    const next = 'Give an id, or a file that holds one JSON document.';
    throw new CliError(`${path} cannot be read as JSON.`, next, undefined, { cause });
  }
}
