import type { Tidemill } from '../../sdk/tidemill.js';
import type { JobSpec } from '../../sdk/types.js';
import { bytes } from '../output/quantities.js';
import type { Session } from '../session.js';
import { readSpecs } from './read-specs.js';
import { uploadFiles } from './upload-files.js';

/** The jobs of a file, ready to be sent: what they name on this machine has been stored. */
export async function prepareSpecs(
  file: string,
  tidemill: Tidemill,
  session: Session,
): Promise<JobSpec[]> {
  const specs: JobSpec[] = [];
  for (const written of await readSpecs(file, session.io)) {
    specs.push(
      await uploadFiles(written, tidemill.artifacts, ({ name, digest, sizeBytes }) =>
        session.remark(`stored ${name} (${bytes(sizeBytes)}) as ${digest.slice(0, 19)}…`),
      ),
    );
  }
  return specs;
}
