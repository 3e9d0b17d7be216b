/** Decodes well-formed UTF-8, or returns null: no replacement characters, no overlong forms, no surrogates. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  let text = '';
  let i = 0;
  while (i < bytes.length) {
    const lead = bytes[i] ?? 0;
    const extra =
      lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    if (extra < 0 || i + extra >= bytes.length) return null;
    let point = extra === 0 ? lead : lead & (0x3f >> extra);
    for (let k = 1; k <= extra; k++) {
      const byte = bytes[i + k] ?? 0;
      if ((byte & 0xc0) !== 0x80) return null;
      point = (point << 6) | (byte & 0x3f);
    }
    if (
      (extra === 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) ||
      (extra === 3 && (point < 0x10000 || point > 0x10ffff))
    )
      return null;
    text += String.fromCodePoint(point);
    i += extra + 1;
  }
  return text;
}
