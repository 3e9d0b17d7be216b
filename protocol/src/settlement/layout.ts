/** Appends fields in little endian, as borsh and the settlement program write them. */
export class LayoutWriter {
  private readonly parts: Uint8Array[] = [];

  bytes(value: Uint8Array, length: number): this {
    if (value.length !== length) {
      throw new RangeError(`a field of ${length} bytes was given ${value.length}`);
    }
    this.parts.push(value);
    return this;
  }

  u8(value: number): this {
    return this.unsigned(BigInt(value), 1);
  }

  u32(value: number): this {
    return this.unsigned(BigInt(value), 4);
  }

  u64(value: bigint): this {
    if (value < 0n || value >= 1n << 64n) throw new RangeError(`${value} does not fit in 64 bits`);
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, value, true);
    this.parts.push(part);
    return this;
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  private unsigned(value: bigint, length: number): this {
    if (value < 0n || value >= 1n << BigInt(8 * length)) {
      throw new RangeError(`${value} does not fit in ${length} unsigned bytes`);
    }
    const part = new Uint8Array(length);
    for (let at = 0; at < length; at += 1) part[at] = Number((value >> BigInt(8 * at)) & 0xffn);
    this.parts.push(part);
    return this;
  }
}
