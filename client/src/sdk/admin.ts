import { type Api, bodyOf } from './api.js';
import type { Account, Worker } from './types.js';

/** What the network's operator may do; needs the scope `admin`. */
export class Admin {
  constructor(private readonly api: Api) {}

  /** Gives a wallet credit. The same `ref` twice gives it once. `amount` is a decimal text of tokens. */
  async credit(wallet: string, amount: string, ref: string): Promise<Account> {
    return bodyOf(await this.api.POST('/v1/admin/credit', { body: { wallet, amount, ref } }));
  }

  /** Revokes a worker's key: its socket is closed and its work goes elsewhere. */
  async suspend(workerId: string): Promise<Worker> {
    const path = { id: workerId };
    return bodyOf(await this.api.POST('/v1/admin/workers/{id}/suspend', { params: { path } }));
  }

  /** Lets a suspended worker log in again. */
  async resume(workerId: string): Promise<Worker> {
    const path = { id: workerId };
    return bodyOf(await this.api.POST('/v1/admin/workers/{id}/resume', { params: { path } }));
  }

  /** Gives a worker no new work; what it runs it finishes. */
  async drain(workerId: string): Promise<Worker> {
    const path = { id: workerId };
    return bodyOf(await this.api.POST('/v1/admin/workers/{id}/drain', { params: { path } }));
  }
}
