import type { FaultCounter } from './fault-counter.js';
import type { Kernel } from './kernel/kernel.js';
import type { Process } from './kernel/process.js';
import type { Random } from './kernel/random.js';
import type { Faults } from './scenario.js';

const QUICKEST_MS = 0.2;
const USUAL_MS = 8;
/** How long a sender tries through a break before it gives the connection up. */
const RESEND_MS = 1_000;

/** Carries messages between processes: late, lost, twice, or not at all through a partition. */
export class Network {
  faults: Faults;
  private readonly cut = new Set<string>();

  constructor(
    private readonly kernel: Kernel,
    private readonly random: Random,
    private readonly counter: FaultCounter,
    faults: Faults,
  ) {
    this.faults = faults;
  }

  /** Cuts one direction. */
  cutOff(from: Process, to: Process): void {
    this.cut.add(`${from.name} ${to.name}`);
  }

  join(from: Process, to: Process): void {
    this.cut.delete(`${from.name} ${to.name}`);
  }

  joinAll(): void {
    this.cut.clear();
  }

  isCut(from: Process, to: Process): boolean {
    return this.cut.has(`${from.name} ${to.name}`);
  }

  delayMs(): number {
    const { faults, random } = this;
    if (!random.chance(faults.late)) return random.between(QUICKEST_MS, USUAL_MS);
    this.counter.note('late');
    return random.between(USUAL_MS, faults.lateMs);
  }

  /** One message on its own, such as a request. */
  carry(from: Process, to: Process, label: string, arrive: () => void): void {
    const { faults, random, counter } = this;
    if (this.isCut(from, to)) return;
    if (random.chance(faults.loss)) return counter.note('loss');
    this.kernel.after(this.delayMs(), to, label, arrive);
    if (!random.chance(faults.repeat)) return;
    counter.note('repeat');
    this.kernel.after(this.delayMs(), to, label, arrive);
  }

  /** One direction of a connection: messages keep their order. */
  stream(from: Process, to: Process): Stream {
    let lastMs = 0;
    const at = (): number => {
      lastMs = Math.max(lastMs, this.kernel.nowMs + this.delayMs());
      return lastMs - this.kernel.nowMs;
    };
    return {
      frame: (label, arrive) => {
        const { faults, random, counter } = this;
        if (this.isCut(from, to)) return;
        if (random.chance(faults.loss)) return counter.note('loss');
        this.kernel.after(at(), to, label, arrive);
        if (!random.chance(faults.repeat)) return;
        counter.note('repeat');
        this.kernel.after(at(), to, label, arrive);
      },
      end: (arrive) => this.endWhenJoined(from, to, at, arrive),
    };
  }

  /** The end of a connection is told in the end, whatever is between the two. */
  private endWhenJoined(from: Process, to: Process, at: () => number, arrive: () => void): void {
    if (!this.isCut(from, to)) {
      this.kernel.after(at(), to, 'end', arrive);
      return;
    }
    this.kernel.after(RESEND_MS, null, 'resend', () => this.endWhenJoined(from, to, at, arrive));
  }
}

export interface Stream {
  frame(label: string, arrive: () => void): void;
  end(arrive: () => void): void;
}
