/** One graphics card. */
export interface Gpu {
  readonly model: string;
  readonly vramMib: number;
}

/** What the machine has, whatever of it is offered. */
export interface Hardware {
  readonly cpuMilli: number;
  readonly memoryMib: number;
  /** Free space where the agent keeps its state. */
  readonly diskMib: number;
  readonly gpus: readonly Gpu[];
  readonly os: string;
}

/** Looks at the machine once, when the agent starts. Fails only when the machine cannot be looked at; trying again is in vain. */
export interface HardwareProbe {
  probe(): Promise<Hardware>;
}
