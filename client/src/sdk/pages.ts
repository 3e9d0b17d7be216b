/** One page of a list; `nextCursor` is null on the last one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

export interface Paging {
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
  /** Items of a page, 1 to 200. Default 50. */
  readonly limit?: number;
}

/** Every item of a list, page after page, as far as the reader goes. */
export async function* everyItem<T>(read: (paging: Paging) => Promise<Page<T>>): AsyncGenerator<T> {
  let paging: Paging = { limit: 200 };
  for (;;) {
    const page = await read(paging);
    yield* page.items;
    if (page.nextCursor === null) return;
    paging = { limit: 200, cursor: page.nextCursor };
  }
}
