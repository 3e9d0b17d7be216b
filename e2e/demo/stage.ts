import pc from 'picocolors';

const LINE_EVERY_MS = 2_000;

/** Where the demo tells its story: headings, lines, and one line at the bottom that is drawn again and again. */
export class Stage {
  private chapter = 0;
  private isLive = false;
  private lastLineMs = -Infinity;
  private readonly startedMs = performance.now();

  constructor(private readonly terminal: NodeJS.WriteStream) {}

  /** Seconds since the start, as shown. */
  get seconds(): string {
    return ((performance.now() - this.startedMs) / 1000).toFixed(1);
  }

  heading(text: string): void {
    this.chapter += 1;
    this.line(`\n${pc.bold(`${this.chapter}. ${text}`)}  ${pc.dim(`${this.seconds} s`)}`);
  }

  line(text: string): void {
    this.endLive();
    this.terminal.write(`${text}\n`);
  }

  fact(name: string, value: string): void {
    this.line(`   ${pc.dim(name.padEnd(14))} ${value}`);
  }

  good(text: string): void {
    this.line(`   ${pc.green('✓')} ${text}`);
  }

  /** Replaces the live line; without a terminal it is a line of its own every two seconds. */
  live(text: string): void {
    if (this.terminal.isTTY) {
      this.terminal.write(`\r\u001b[2K   ${text}`);
      this.isLive = true;
      return;
    }
    const now = performance.now();
    if (now - this.lastLineMs < LINE_EVERY_MS) return;
    this.lastLineMs = now;
    this.terminal.write(`   ${text}\n`);
  }

  /** Leaves the live line standing as it is. */
  endLive(): void {
    if (this.isLive) this.terminal.write('\n');
    this.isLive = false;
  }
}

/** `███░░  52 %`. */
export function bar(share: number, width = 24): string {
  const filled = Math.round(Math.min(Math.max(share, 0), 1) * width);
  return `${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}
