import type { AttemptId } from '@tidemill/protocol';

/** An empty folder for one attempt. */
interface WorkFolder {
  readonly path: string;
  /** Deletes it with all that is in it. */
  remove(): Promise<void>;
}

/** Makes folders for attempts. Fails when the disk does; then the attempt fails, and the task goes elsewhere. */
export interface WorkFolders {
  make(attemptId: AttemptId): Promise<WorkFolder>;
}
