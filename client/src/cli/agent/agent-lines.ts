import type { Io } from '../io.js';
import { printable } from '../output/printable.js';

const LEVELS: Readonly<Record<number, 'dim' | 'yellow' | 'red'>> = {
  20: 'dim',
  40: 'yellow',
  50: 'red',
  60: 'red',
};
/** Members of every line that say nothing to a person at the terminal. */
const USUAL = new Set(['level', 'time', 'msg', 'name', 'pid', 'hostname']);

/** One line of the agent's log as a person reads it: the time, the message, and its facts as `name=value`. */
export function agentLine(line: string, colors: Io['colors']): string {
  const entry = parse(line);
  if (entry === null) return printable(line);
  const { level, time, msg } = entry;
  const paint = colors[LEVELS[Number(level)] ?? 'reset'];
  const facts = Object.entries(entry)
    .filter(([name]) => !USUAL.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const at = typeof time === 'number' ? new Date(time).toISOString().slice(11, 19) : '';
  return `${colors.dim(at)}  ${paint(printable(typeof msg === 'string' ? msg : ''))}  ${colors.dim(printable(facts.join(' ')))}`.trimEnd();
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && 'msg' in parsed ? { ...parsed } : null;
  } catch {
    return null;
  }
}
