import { describe, expect, test } from 'vitest';
import { activeRoot, rootStanding } from './root-standing.js';

const hash = (of: number): Uint8Array => new Uint8Array(32).fill(of);
const root = (epoch: bigint, of = Number(epoch)) => ({
  epoch,
  activationSlot: 100n * epoch,
  statementHash: hash(of),
});
const at = (slot: bigint, lastEpoch: bigint, active: bigint | null, pending: bigint | null) => ({
  slot,
  lastEpoch,
  active: active === null ? null : root(active),
  pending: pending === null ? null : root(pending),
});

describe('how an epoch stands on chain', () => {
  test.each([
    ['absent', at(10n, 4n, 4n, null), 5n],
    ['absent', at(10n, 0n, null, null), 1n],
    ['pending', at(499n, 5n, 4n, 5n), 5n],
    ['active', at(500n, 5n, 4n, 5n), 5n],
    ['active', at(900n, 5n, 5n, null), 5n],
    ['voided', at(450n, 5n, 4n, null), 5n],
    ['voided', at(50n, 1n, null, null), 1n],
    ['contradicted', at(900n, 7n, 7n, null), 5n],
  ] as const)('%s', (standing, chain, epoch) => {
    expect(rootStanding(chain, epoch, hash(Number(epoch)))).toBe(standing);
  });

  test('another root under its number contradicts it, pending or active (G10)', () => {
    expect(rootStanding(at(499n, 5n, 4n, 5n), 5n, hash(99))).toBe('contradicted');
    expect(rootStanding(at(900n, 5n, 5n, null), 5n, hash(99))).toBe('contradicted');
  });

  test('claims go against a pending root as soon as its window is over', () => {
    expect(activeRoot(at(499n, 5n, 4n, 5n))?.epoch).toBe(4n);
    expect(activeRoot(at(500n, 5n, 4n, 5n))?.epoch).toBe(5n);
    expect(activeRoot(at(500n, 0n, null, null))).toBeNull();
  });
});
