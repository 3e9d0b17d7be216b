import { type Api, bodyOf } from './api.js';
import { everyItem } from './pages.js';
import type { Worker, WorkerState } from './types.js';

/** The workers of the network; public. */
export class Workers {
  constructor(private readonly api: Api) {}

  list(
    filter: {
      readonly state?: WorkerState;
      readonly runtime?: string;
      readonly name?: string;
    } = {},
  ): AsyncGenerator<Worker> {
    return everyItem(async (paging) =>
      bodyOf(await this.api.GET('/v1/workers', { params: { query: { ...paging, ...filter } } })),
    );
  }

  async get(id: string): Promise<Worker> {
    return bodyOf(await this.api.GET('/v1/workers/{id}', { params: { path: { id } } }));
  }
}
