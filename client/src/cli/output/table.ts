import Table from 'cli-table3';
import { printable } from './printable.js';

const NO_BORDER = Object.fromEntries(
  [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
    'left',
    'left-mid',
    'mid',
    'mid-mid',
    'right',
    'right-mid',
  ].map((name) => [name, '']),
);

/** A cell: text from anywhere, or text that was made printable and then coloured. */
export type Cell = string | number | { readonly styled: string };

/** Rows under their headings, without lines; empty text when there are no rows. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly Cell[])[],
  dim: (text: string) => string,
): string {
  if (rows.length === 0) return '';
  const drawn = new Table({
    head: heads.map((head) => dim(head.toUpperCase())),
    chars: { ...NO_BORDER, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) drawn.push(row.map(cellText));
  return `${drawn.toString().replace(/ +$/gm, '')}\n`;
}

/** Names and values, one pair on a line. */
export function facts(
  pairs: readonly (readonly [string, Cell])[],
  dim: (text: string) => string,
): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${dim(name.padEnd(width))}  ${cellText(value)}\n`).join('');
}

function cellText(cell: Cell): string {
  return typeof cell === 'object' ? cell.styled : printable(String(cell));
}
