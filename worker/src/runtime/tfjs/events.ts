import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Digest } from '@tidemill/protocol';
import type { OutputFile } from '../runner.js';
import { ChildEvent, MAX_EVENT_LINE } from './wire.js';

/** A child that does not speak as it should, or wants to hand over more than it may. */
export class ChildTalkError extends Error {
  override readonly name = 'ChildTalkError';

  constructor(
    readonly code: 'CHILD_PROTOCOL' | 'OUTPUT_TOO_LARGE',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** More events than an honest child sends in a month of progress. */
const MAX_EVENTS = 20_000_000;
const LINE_END = 0x0a;

/**
 * Reads what a child says until it ends. Outputs go straight to files in `folder`, made new, with a digest taken on the way: what the
 * child claims of its outputs is never believed.
 */
export class EventReader {
  readonly outputs: OutputFile[] = [];
  private line: Buffer[] = [];
  private lineLength = 0;
  private count = 0;
  private total = 0;
  private current: {
    name: string;
    path: string;
    left: number;
    bytes: number;
    hash: Hash;
    file: FileHandle;
  } | null = null;

  constructor(
    private readonly folder: string,
    private readonly maxOutputBytes: number,
    private readonly onEvent: (event: ChildEvent) => void,
  ) {}

  /** @throws ChildTalkError at the first fault; the caller then ends the child. */
  async read(events: Readable): Promise<void> {
    try {
      for await (const chunk of events as AsyncIterable<Buffer>) await this.take(chunk);
      if (this.current !== null)
        throw new ChildTalkError(
          'CHILD_PROTOCOL',
          `the output ${this.current.name} ended too early`,
        );
    } finally {
      await this.current?.file.close();
    }
  }

  private async take(chunk: Buffer): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.current !== null) {
        rest = await this.takeOutput(rest);
        continue;
      }
      const end = rest.indexOf(LINE_END);
      const part = end < 0 ? rest : rest.subarray(0, end);
      this.lineLength += part.length;
      if (this.lineLength > MAX_EVENT_LINE)
        throw new ChildTalkError('CHILD_PROTOCOL', 'an event is too long');
      this.line.push(part);
      if (end < 0) return;
      rest = rest.subarray(end + 1);
      const text = Buffer.concat(this.line).toString('utf8');
      this.line = [];
      this.lineLength = 0;
      await this.takeEvent(text);
    }
  }

  private async takeEvent(text: string): Promise<void> {
    this.count += 1;
    if (this.count > MAX_EVENTS) throw new ChildTalkError('CHILD_PROTOCOL', 'too many events');
    const event = parse(text);
    if (event.type === 'output') await this.beginOutput(event.name, event.bytes);
    else this.onEvent(event);
  }

  private async beginOutput(name: string, bytes: number): Promise<void> {
    this.total += bytes;
    if (this.total > this.maxOutputBytes)
      throw new ChildTalkError(
        'OUTPUT_TOO_LARGE',
        `the outputs have ${this.total} bytes and more, ${this.maxOutputBytes} are allowed`,
      );
    if (this.outputs.some((output) => output.name === name))
      throw new ChildTalkError('CHILD_PROTOCOL', `the output ${name} came twice`);
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = join(this.folder, name); // the schema lets only the names of TFJS_OUTPUTS through
    const file = await open(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
      0o600,
    );
    this.current = { name, path, left: bytes, bytes, hash: createHash('sha256'), file };
    if (bytes === 0) await this.endOutput();
  }

  private async takeOutput(chunk: Buffer): Promise<Buffer> {
    const { current } = this;
    if (current === null) return chunk;
    const part = chunk.subarray(0, current.left);
    current.hash.update(part);
    await current.file.writeFile(part);
    current.left -= part.length;
    if (current.left === 0) await this.endOutput();
    return chunk.subarray(part.length);
  }

  private async endOutput(): Promise<void> {
    const { current } = this;
    if (current === null) return;
    this.current = null;
    await current.file.close();
    const digest = Digest.parse(`sha256:${current.hash.digest('hex')}`);
    this.outputs.push({ name: current.name, path: current.path, digest, sizeBytes: current.bytes });
  }
}

function parse(text: string): ChildEvent {
  try {
    return ChildEvent.parse(JSON.parse(text));
  } catch (cause) {
    throw new ChildTalkError('CHILD_PROTOCOL', 'an event cannot be read', { cause });
  }
}
