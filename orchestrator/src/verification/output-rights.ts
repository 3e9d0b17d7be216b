import { Injectable } from '@nestjs/common';
import { ArtifactsService } from '../artifacts/artifacts.service.js';
import type { Tx } from '../platform/db/db.js';
import { VerdictsStore, type Output, type Verdict } from './verdicts.store.js';

/** Who may read what an attempt produced: with its verdict, and not before, the job it was done for. */
@Injectable()
export class OutputRights {
  constructor(
    private readonly store: VerdictsStore,
    private readonly artifacts: ArtifactsService,
  ) {}

  /** Gives accepted outputs to their jobs, and lets the copies of the workers expire, whatever the verdict was. */
  async settle(tx: Tx, verdicts: readonly Verdict[]): Promise<void> {
    const judged = verdicts.filter(({ hasNoOutputs }) => hasNoOutputs !== true);
    if (judged.length === 0) return;
    const accepted = new Set(judged.filter(isGiven).map(({ attemptId }) => attemptId));
    for (const outputs of byAttempt(await this.store.outputs(tx, judged))) {
      const [{ attemptId, workerId, jobId, accountId }] = outputs;
      const digests = outputs.map(({ digest }) => digest);
      if (accepted.has(attemptId))
        await this.artifacts.grant(tx, digests, { kind: 'job', id: jobId, accountId });
      await this.artifacts.letExpire(tx, digests, workerId);
    }
  }
}

/** What failed, and what started from something wrong, was not asked for. */
const isGiven = ({ verdict, failure, isVoid }: Verdict): boolean =>
  verdict === 'accepted' && failure === null && isVoid !== true;

function byAttempt(outputs: readonly Output[]): [Output, ...Output[]][] {
  const groups: [Output, ...Output[]][] = [];
  for (const output of outputs) {
    const last = groups.at(-1);
    if (last?.[0].attemptId === output.attemptId) last.push(output);
    else groups.push([output]);
  }
  return groups;
}
