import type { Io } from '../io.js';
import { printable } from './printable.js';
import type { Cell } from './table.js';

const GOOD = new Set(['succeeded', 'accepted', 'online']);
const BAD = new Set(['failed', 'rejected', 'lost', 'suspended', 'expired']);
const GOING_ON = new Set(['running', 'verifying', 'leased', 'draining', 'reported']);

/** A state, in the colour of what it means. */
export function stateCell(state: string, { colors }: Pick<Io, 'colors'>): Cell {
  const text = printable(state);
  if (GOOD.has(state)) return { styled: colors.green(text) };
  if (BAD.has(state)) return { styled: colors.red(text) };
  if (GOING_ON.has(state)) return { styled: colors.cyan(text) };
  return { styled: colors.dim(text) };
}
