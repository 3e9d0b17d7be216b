import { describe, expect, test } from 'vitest';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { encodeNpy } from './npy-write.js';
import { surveyTable } from './survey.js';
import { readTable } from './table.js';

const csv = { csv: utf8ToBytes('a,y,b\n1,0,4\n2,1,5\n3,2,nan\n') };
const arrays = {
  arrays: {
    x: encodeNpy(new Float32Array(12), [3, 2, 2]),
    y: encodeNpy(new Int32Array([0, 1, 2]), [3]),
  },
};

describe('a data set', () => {
  test('has every column but the label when all are wanted', () => {
    const table = readTable(csv, { features: { columns: '*' }, label: { column: 'y' } });
    expect(table).toMatchObject({
      ok: true,
      value: { features: { rows: 3, width: 2 }, label: { values: new Float32Array([0, 1, 2]) } },
    });
  });

  test('is surveyed without handing out a value: range, whole numbers, the first that is not finite', () => {
    const facts = surveyTable(csv, { features: { columns: ['a', 'b'] }, label: { column: 'y' } });
    expect(facts).toMatchObject({
      ok: true,
      value: {
        rows: 3,
        features: { min: 1, max: 5, whole: true, notFinite: { row: 3, column: 2 } },
        label: { min: 0, max: 2, notFinite: null },
      },
    });
  });

  test('keeps the axes of an array', () => {
    const table = readTable(arrays, { features: { array: 'x' }, label: { array: 'y' } });
    expect(table).toMatchObject({
      ok: true,
      value: {
        features: { rows: 3, width: 4, rowShape: [2, 2] },
        label: { width: 1, rowShape: [] },
      },
    });
  });

  test.each([
    ['an array that is not there', arrays, { features: { array: 'z' } }, 'ARRAY_UNKNOWN'],
    [
      'an array of a prototype name',
      arrays,
      { features: { array: 'constructor' } },
      'ARRAY_UNKNOWN',
    ],
    ['columns of an array', arrays, { features: { columns: ['a'] } }, 'SOURCE_MISMATCH'],
    ['an array of a table', csv, { features: { array: 'x' } }, 'SOURCE_MISMATCH'],
    [
      'another number of labels',
      { arrays: { ...arrays.arrays, y: encodeNpy(new Int32Array(2), [2]) } },
      { features: { array: 'x' }, label: { array: 'y' } },
      'ROWS_DIFFER',
    ],
  ])('refuses %s', (_, files, wanted, code) => {
    expect(readTable(files, wanted as Parameters<typeof readTable>[1])).toMatchObject({
      ok: false,
      fault: { code },
    });
  });
});
