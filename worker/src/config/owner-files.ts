import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { join } from 'node:path';
import { OperatorCertificate, parseAmount, type Amount } from '@tidemill/protocol';
import { z } from 'zod';
import type { Log } from '../log.js';

/** A price set by the owner's command takes effect within this. */
const LOOK_EVERY_MS = 1_000;

export interface Asks {
  readonly cpuHour: Amount;
  readonly gpuHour: Amount;
}

const Price = z.strictObject({ cpuHour: z.string(), gpuHour: z.string() });

/** What the owner's commands leave in the state folder for the agent. */
export class OwnerFiles {
  constructor(
    private readonly stateDir: string,
    private readonly log: Log,
  ) {}

  /** The price that was set, or null: then that of the settings holds. */
  asks(): Asks | null {
    const price = this.read('price.json', Price);
    if (price === null) return null;
    const cpuHour = parseAmount(price.cpuHour);
    const gpuHour = parseAmount(price.gpuHour);
    if (cpuHour !== null && gpuHour !== null) return { cpuHour, gpuHour };
    this.log.warn({ ...price }, 'price.json holds no amounts, it is left out');
    return null;
  }

  /** The operator's word that this machine is one of its own, or null. */
  operator(): OperatorCertificate | null {
    return this.read('operator.json', OperatorCertificate);
  }

  /** Tells of each new price until it is ended. */
  watchAsks(changed: (asks: Asks) => void): () => void {
    const file = join(this.stateDir, 'price.json');
    watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, () => {
      const asks = this.asks();
      if (asks !== null) changed(asks);
    });
    return () => unwatchFile(file);
  }

  private read<T>(name: string, schema: z.ZodType<T>): T | null {
    try {
      return schema.parse(JSON.parse(readFileSync(join(this.stateDir, name), 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      this.log.warn({ name, err: error }, 'a file of the owner cannot be read, it is left out');
      return null;
    }
  }
}
