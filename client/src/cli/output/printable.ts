/** Escape sequences, and control characters other than tab. */
// eslint-disable-next-line no-control-regex -- these are the characters that must not reach the terminal
const UNPRINTABLE =
  /\u001b\[[0-?]*[ -/]*[@-~]|[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text from the network on one line, with nothing in it that steers a terminal or turns the reading direction. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '');
}
