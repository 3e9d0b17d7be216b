/** Adds up the rows of a run. */
export function sumOf(rows) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { totals } of rows) for (const key of Object.keys(sum)) sum[key] += totals[key];
  return sum;
}

/** What a run of tests and checks came to, in one plain line. */
export function totalLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** The steps of a run with their times, as lines of text. */
export function timeTable(rows) {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows.map(({ name, ms, totals }) => {
    const seconds = (ms / 1000).toFixed(1).padStart(7);
    return `${name.padEnd(width)} ${seconds} s  ${totalLine(totals)}`;
  });
}

/**
 * What the suites counted, as lines of text: one for each part of the test plan, in its order. What begins with a number is added up
 * with the others that say the same of theirs.
 */
export function figuresTable(rows) {
  const parts = new Map();
  for (const { id, text } of rows.flatMap(({ totals }) => totals.figures ?? [])) {
    const [, count, what] = /^(\d+) (.*)$/.exec(text) ?? [undefined, undefined, text];
    const part = parts.get(id) ?? new Map();
    part.set(what, count === undefined ? undefined : (part.get(what) ?? 0) + Number(count));
    parts.set(id, part);
  }
  const inOrder = [...parts].sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)));
  return inOrder.map(([id, part]) => `${id.padEnd(4)} ${[...part].map(asText).join('; ')}`);
}

function asText([what, count]) {
  return count === undefined ? what : `${count.toLocaleString('en')} ${what}`;
}
