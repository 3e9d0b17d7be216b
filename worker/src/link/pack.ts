import { MAX_FRAME_BYTES } from '@tidemill/protocol';

/** Room for the list of a frame; the rest is for what every frame carries. */
const MAX_LIST_BYTES = MAX_FRAME_BYTES - 16 * 1024;

/** Splits items, in order, into lists that each fit one frame. An item larger than a frame is a bug of its maker. */
export function pack<T>(items: readonly T[], maxItems: number): T[][] {
  const lists: T[][] = [];
  let list: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (list.length > 0 && (list.length >= maxItems || bytes + size > MAX_LIST_BYTES)) {
      lists.push(list);
      list = [];
      bytes = 0;
    }
    list.push(item);
    bytes += size;
  }
  if (list.length > 0) lists.push(list);
  return lists;
}
