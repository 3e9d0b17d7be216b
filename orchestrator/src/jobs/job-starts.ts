import { Injectable } from '@nestjs/common';
import type { JobId, JobView } from '@tidemill/protocol';

type Ask = (id: JobId) => Promise<JobView['expectedStart']>;

/** When jobs in the line will start. The scheduling stage knows, and comes after this one, so it registers itself. */
@Injectable()
export class JobStarts {
  private ask: Ask = () => Promise.resolve(null);

  register(ask: Ask): void {
    this.ask = ask;
  }

  of(id: JobId): Promise<JobView['expectedStart']> {
    return this.ask(id);
  }
}
