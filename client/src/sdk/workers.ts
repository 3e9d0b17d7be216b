import { type Api, bodyOf } from './api.js';
import { everyItem } from './pages.js';
import type { Earnings, Market, SignedOrder, Worker, WorkerOwner, WorkerState } from './types.js';

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

  /** What a worker was booked, by periods in UTC, oldest first. */
  async earnings(
    id: string,
    query: {
      readonly by?: Earnings['by'];
      readonly from?: string;
      readonly to?: string;
    } = {},
  ): Promise<Earnings> {
    return bodyOf(
      await this.api.GET('/v1/workers/{id}/earnings', { params: { path: { id }, query } }),
    );
  }

  /** What workers ask, and what is asked of them. */
  async market(): Promise<Market> {
    return bodyOf(await this.api.GET('/v1/market'));
  }

  /** Has an order of a worker's owner carried out; its signatures are all the right there is. */
  async order(id: string, signed: SignedOrder): Promise<WorkerOwner> {
    return bodyOf(
      await this.api.POST('/v1/workers/{id}/orders', { params: { path: { id } }, body: signed }),
    );
  }

  /** The network's name, as its login messages say it. */
  async network(publicKey: string): Promise<string> {
    const { message } = bodyOf(await this.api.POST('/v1/auth/challenge', { body: { publicKey } }));
    return /^Chain ID: (\S+)$/m.exec(message)?.[1] ?? '';
  }
}
