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

/** What the suites counted, as lines of text: one for each part of the test plan, in its order. */
export function figuresTable(rows) {
  const figures = new Map();
  for (const { totals } of rows)
    for (const { id, text } of totals.figures ?? [])
      figures.set(id, [...(figures.get(id) ?? []), text]);
  const inOrder = [...figures].sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)));
  return inOrder.map(([id, texts]) => `${id.padEnd(4)} ${texts.join('; ')}`);
}
