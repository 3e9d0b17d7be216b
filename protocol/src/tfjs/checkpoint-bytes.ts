/** Collects bytes, little endian. Tensor bytes are kept as they are and copied once, at the end. */
export class ByteWriter {
  private readonly parts: Uint8Array[] = [];
  private total = 0;

  u8(value: number): void {
    this.number(1, value, 0xff, (view) => view.setUint8(0, value));
  }

  u16(value: number): void {
    this.number(2, value, 0xffff, (view) => view.setUint16(0, value, true));
  }

  u32(value: number): void {
    this.number(4, value, 0xffff_ffff, (view) => view.setUint32(0, value, true));
  }

  u64(value: number): void {
    this.number(8, value, Number.MAX_SAFE_INTEGER, (view) =>
      view.setBigUint64(0, BigInt(value), true),
    );
  }

  /** A text behind its length. */
  text(text: string): void {
    this.u16(text.length);
    this.ascii(text);
  }

  ascii(text: string): void {
    this.raw(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  }

  raw(bytes: Uint8Array): void {
    this.parts.push(bytes);
    this.total += bytes.length;
  }

  finish(): Uint8Array {
    const all = new Uint8Array(this.total);
    let at = 0;
    for (const part of this.parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  private number(size: number, value: number, max: number, put: (view: DataView) => void): void {
    if (!Number.isInteger(value) || value < 0 || value > max)
      throw new RangeError(`${value} does not fit ${size} bytes`);
    const bytes = new Uint8Array(size);
    put(new DataView(bytes.buffer));
    this.raw(bytes);
  }
}

/** Reads what `ByteWriter` wrote. @throws RangeError past the end, or for a u64 that is no safe integer. */
export class ByteReader {
  private readonly view: DataView;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.view.getUint8(this.advance(1));
  }

  u16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  u64(): number {
    const value = Number(this.view.getBigUint64(this.advance(8), true));
    if (!Number.isSafeInteger(value)) throw new RangeError('a number is too large');
    return value;
  }

  ascii(length: number): string {
    return String.fromCharCode(...this.raw(length));
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  offset(): number {
    return this.at;
  }

  left(): number {
    return this.bytes.length - this.at;
  }

  private advance(length: number): number {
    if (length > this.left()) throw new RangeError('past the end');
    const start = this.at;
    this.at += length;
    return start;
  }
}
