import { MAX_RECEIPT_LENGTH, parseJson, Receipt } from '@tidemill/protocol';

/** Longest message of a failure that a job shows; the whole of it stays in the receipt. */
const MAX_SHOWN = 500;

/** Characters that steer a terminal, end a line or turn the direction of reading, and halves of characters. */
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** What a receipt says of why the job's own code failed, fit to be shown: bounded, on one line, with nothing hidden in it. */
export function ownFailure(receiptText: string): string {
  const json = parseJson(receiptText, MAX_RECEIPT_LENGTH);
  const receipt = Receipt.safeParse(json.ok ? json.value : null);
  const said = receipt.data?.failure?.message.trim() ?? '';
  if (said === '') return 'The job\u2019s own code failed; see its logs.';
  const characters = [...said];
  const shown =
    characters.length <= MAX_SHOWN ? said : `${characters.slice(0, MAX_SHOWN - 1).join('')}\u2026`;
  return shown.replaceAll(STEERING, escaped);
}

function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
