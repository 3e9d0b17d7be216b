import { writeSync } from 'node:fs';
import { kill, pid } from 'node:process';

/**
 * The places where a test may end this process, as if power were cut there: before and after each commit, and before and after
 * each frame to a worker. `before-commit` has sent everything but COMMIT; `after-commit` knows that it happened and has told nobody.
 */
export const FAULT_POINTS = [
  'identity.challenge.after-commit',
  'identity.login.before-commit',
  'identity.login.after-commit',
  'identity.key.before-commit',
  'identity.key.after-commit',
  'identity.revoke.before-commit',
  'identity.revoke.after-commit',
  'accounts.credit.before-commit',
  'accounts.credit.after-commit',
  'artifacts.upload.before-commit',
  'artifacts.upload.after-commit',
  'artifacts.keep.before-bytes',
  'artifacts.keep.before-commit',
  'artifacts.keep.after-commit',
  'artifacts.remove.before-commit',
  'artifacts.remove.after-commit',
  'jobs.accept.before-commit',
  'jobs.accept.after-commit',
  'jobs.cancel.before-commit',
  'jobs.cancel.after-commit',
  'jobs.expire.before-commit',
  'jobs.expire.after-commit',
  'fleet.join.before-commit',
  'fleet.join.after-commit',
  'fleet.disconnected.after-commit',
  'fleet.renew.after-commit',
  'fleet.lost.before-commit',
  'fleet.lost.after-commit',
  'scheduling.lease.before-commit',
  'scheduling.lease.after-commit',
  'scheduling.activate.before-commit',
  'scheduling.activate.after-commit',
  'scheduling.end.before-commit',
  'scheduling.end.after-commit',
  'scheduling.orphans.after-commit',
  'gateway.challenge.before-send',
  'gateway.challenge.after-send',
  'gateway.welcome.before-send',
  'gateway.welcome.after-send',
  'gateway.offer.before-send',
  'gateway.offer.after-send',
  'gateway.active.before-send',
  'gateway.active.after-send',
  'gateway.receipts.ack.before-send',
  'gateway.receipts.ack.after-send',
  'gateway.cancel.before-send',
  'gateway.cancel.after-send',
  'gateway.progress.after-commit',
  'receipts.settle.before-commit',
  'receipts.settle.after-commit',
  'verification.verdicts.before-commit',
  'verification.verdicts.after-commit',
  'verification.checks.before-commit',
  'ledger.booking.before-commit',
  'ledger.booking.after-commit',
  'trail.claim.before-commit',
  'trail.claim.after-commit',
  'trail.place.before-commit',
  'trail.place.after-commit',
  'trail.checkpoint.before-commit',
  'trail.checkpoint.after-commit',
] as const;

export type FaultPoint = (typeof FAULT_POINTS)[number];

const STDERR = 2;

/** A point, and at which of its passes the process ends. */
export interface ArmedPoint {
  readonly point: FaultPoint;
  readonly nth: number;
}

let armed: { readonly point: FaultPoint; passesLeft: number } | null = null;

/** Ends this process here and now if a test armed this point; otherwise one comparison. */
export function faultPoint(point: FaultPoint): void {
  if (armed !== null) pass(armed, point);
}

/** Arms a point, once, at the start. */
export function armFaultPoint({ point, nth }: ArmedPoint): void {
  armed = { point, passesLeft: nth };
}

/** `name` or `name:nth`; null when there is no such point. */
export function parseFaultPoint(text: string): ArmedPoint | null {
  const [, name, nth] = /^([a-z.-]+)(?::([1-9]\d{0,6}))?$/.exec(text) ?? [];
  const point = FAULT_POINTS.find((one) => one === name);
  return point === undefined ? null : { point, nth: Number(nth ?? '1') };
}

function pass(at: NonNullable<typeof armed>, point: FaultPoint): void {
  if (at.point !== point) return;
  at.passesLeft -= 1;
  if (at.passesLeft > 0) return;
  // Both are done when they return: nothing of what follows runs, and no handler sees the end coming.
  writeSync(STDERR, `fault point ${point}\n`);
  kill(pid, 'SIGKILL');
}
