import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainText } from './plain-text.js';

test('whatever the text, it is short enough and can be stored', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 50 }),
      fc.integer({ min: 1, max: 60 }),
      (text, maxLength) => {
        const plain = plainText(text, maxLength);
        expect(plain.length).toBeLessThanOrEqual(maxLength);
        expect(plain).not.toContain('\0');
        expect(Buffer.from(plain, 'utf8').toString('utf8')).toBe(plain);
      },
    ),
  );
});

test('text that fits and can be stored stays as it is', () => {
  expect(plainText('épsilon 😀', 10)).toBe('épsilon 😀');
  expect(plainText('épsilon 😀', 9)).toBe('épsilon …');
});
