import { MultiBar, type SingleBar } from 'cli-progress';
import type { Progress } from './happening.js';

/** A bar for one job that stays below what is printed meanwhile. */
export interface ProgressBar {
  readonly update: (progress: Progress) => void;
  /** Prints a line above the bar. */
  readonly print: (line: string) => void;
  readonly stop: () => void;
}

/** `loss 0.1234  accuracy 0.957`: the metrics in the order they come, numbers short. */
export function metricsText(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join('  ');
}

export function progressBar(screen: NodeJS.WriteStream): ProgressBar {
  const bars = new MultiBar({
    stream: screen,
    format: '{bar} {percentage}%  step {value}/{total}  {metrics}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: false,
    fps: 10,
  });
  let bar: SingleBar | undefined;
  return {
    update({ step, totalSteps, metrics }) {
      const shown = { metrics: metricsText(metrics) };
      bar ??= bars.create(totalSteps, 0, shown);
      bar.setTotal(totalSteps);
      bar.update(step, shown);
    },
    print: (line) => (bar === undefined ? void screen.write(`${line}\n`) : bars.log(`${line}\n`)),
    stop: () => bars.stop(),
  };
}
