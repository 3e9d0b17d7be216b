import { replay, type Replay } from '@tidemill/core/scheduler';
import { DecisionInputsView, DecisionView } from '@tidemill/protocol';
import { nodeSha256 } from '@tidemill/protocol/node';
import { z } from 'zod';

/** A decision and what it was taken on: all that a replay needs. */
export const KeptDecision = z.object({ decision: DecisionView, inputs: DecisionInputsView });
export type KeptDecision = z.infer<typeof KeptDecision>;

export type DecisionReplay = Replay;

/** Decides again and compares; `tidemill verify trail` says whether the record itself is what was written. */
export function replayDecision({ decision, inputs }: KeptDecision): DecisionReplay {
  return replay(decision.record, inputs, nodeSha256);
}
