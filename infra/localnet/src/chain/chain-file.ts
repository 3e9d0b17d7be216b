import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import type { SavedChain } from './chain.js';
import type { Executed } from './executed.js';
import { WireTransaction } from './wire-transaction.js';

type Stored = Omit<SavedChain, 'executed'> & {
  readonly executed: readonly (Omit<Executed, 'wire'> & {
    readonly wire: { readonly base64: string; readonly loaded: WireTransaction['loaded'] } | null;
  })[];
};

/** Raised with the layout: a file of another one is refused rather than misread. */
const FORMAT = 'tidemill/chain/1';

/** Where a chain is kept between two runs; replaced whole, so a crash leaves the one before. */
export class ChainFile {
  private readonly path: string;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true });
    this.path = join(dir, 'chain.bin');
  }

  /** The chain as it was, or undefined when there is none yet. @throws Error when the file is of another version */
  read(): SavedChain | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const { format, chain } = deserialize(bytes) as { format: string; chain: Stored };
    if (format !== FORMAT)
      throw new Error(`${this.path} is not of this version: delete it to begin with a new chain.`);
    return {
      ...chain,
      executed: chain.executed.map((one) => ({
        ...one,
        wire: one.wire === null ? null : WireTransaction.restore(one.wire.base64, one.wire.loaded),
      })),
    };
  }

  write({ executed, ...rest }: SavedChain): void {
    const chain: Stored = {
      ...rest,
      executed: executed.map((one) => ({
        ...one,
        wire: one.wire === null ? null : { base64: one.wire.base64, loaded: one.wire.loaded },
      })),
    };
    const draft = `${this.path}.${process.pid}`;
    writeFileSync(draft, serialize({ format: FORMAT, chain }));
    renameSync(draft, this.path);
  }
}
