import { expect, test } from 'vitest';
import { NETWORK_METRICS } from './metric-names.js';

const metrics = Object.entries(NETWORK_METRICS);

test.each(metrics)(
  '%s is named after what it counts, in the unit it counts in',
  (name, { type, help, labels }) => {
    expect(name).toMatch(/^tidemill_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_(seconds|bytes)$/);
    expect(help).toMatch(/^[A-Z].*\.$/);
    // An id as a label makes a series for each, without end.
    for (const label of labels) expect(label).toMatch(/^(?!.*id$)[a-z]+$/);
  },
);
