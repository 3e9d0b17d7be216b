/**
 * Text as it may be stored anywhere: at most `maxLength` code units, with no NUL and no half of a surrogate pair, which neither
 * UTF-8 nor PostgreSQL can hold. What is cut ends with an ellipsis.
 */
export function plainText(text: string, maxLength: number): string {
  const isCut = text.length > maxLength;
  const kept = isCut ? text.slice(0, maxLength - 1) : text;
  // Encoding replaces a lone surrogate by U+FFFD, which is one code unit too.
  const whole = Buffer.from(kept, 'utf8').toString('utf8').replaceAll('\0', '\ufffd');
  return isCut ? `${whole}…` : whole;
}
