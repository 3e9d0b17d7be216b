import { type Api, bodyOf } from './api.js';
import { everyItem } from './pages.js';
import type { ApiKey, CreatedKey, CreateKey } from './types.js';

/** API keys of the account. */
export class Keys {
  constructor(private readonly api: Api) {}

  /** A new key; its text is shown this once. */
  async create(request: CreateKey): Promise<CreatedKey> {
    return bodyOf(await this.api.POST('/v1/keys', { body: request }));
  }

  list(): AsyncGenerator<ApiKey> {
    return everyItem(async (paging) =>
      bodyOf(await this.api.GET('/v1/keys', { params: { query: paging } })),
    );
  }

  /** A new key like this one, which is still good for `graceSeconds` (a day unless told otherwise). */
  async rotate(id: string, graceSeconds?: number): Promise<CreatedKey> {
    const body = graceSeconds === undefined ? {} : { graceSeconds };
    return bodyOf(await this.api.POST('/v1/keys/{id}/rotate', { params: { path: { id } }, body }));
  }

  async revoke(id: string): Promise<void> {
    await this.api.DELETE('/v1/keys/{id}', { params: { path: { id } } });
  }
}
