import { Injectable } from '@nestjs/common';
import { RemovalService } from '../artifacts/removal.service.js';
import { JobsStore } from './jobs.store.js';

/** Keeps a submitter from giving up what an open job of its own is going to read. */
@Injectable()
export class InputsInUse {
  constructor(removal: RemovalService, store: JobsStore) {
    removal.askBefore(async (tx, accountId, digest) => {
      const job = await store.openJobReading(tx, accountId, digest);
      return job === null ? null : `your job ${job}`;
    });
  }
}
