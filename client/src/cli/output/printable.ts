/** Escape sequences, control characters other than tab, and what turns the reading direction. */
const UNPRINTABLE = new RegExp(
  [
    String.raw`\x1b\[[0-?]*[ -/]*[@-~]`,
    String.raw`[\x00-\x08\x0a-\x1f\x7f-\x9f]`,
    String.raw`[\u202a-\u202e\u2066-\u2069]`,
  ].join('|'),
  'g',
);

/** Text from the network on one line, with nothing in it that steers a terminal. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '');
}
