import type { VerifyPlan } from '@tidemill/core/job';
import type { Digest, JobSpec, TfjsTrainingTask } from '@tidemill/protocol';
import { createHash } from 'node:crypto';
import { TfjsDrafter } from '../jobs/tfjs-drafter.js';
import type { TaskDraft } from '../jobs/draft.js';

const STEPS = 10;

/** Cuts a training job into as many segments as its name says; what a model is plays no part here. */
export class SegmentDrafter extends TfjsDrafter {
  override tasksOf(spec: JobSpec, verify: VerifyPlan): Promise<TaskDraft[]> {
    const [, , segments = '1', workMs = '0'] = (spec.name ?? '').split('-');
    const count = Number(segments);
    return Promise.resolve(
      Array.from({ length: count }, (_, index) => ({
        payload: JSON.stringify({ runtime: 'tfjs', tfjs: segmentOf(index, count, Number(workMs)) }),
        inputs: [],
        dependsOn: index === 0 ? null : index - 1,
        audited: verify.method === 'audit' && index === 0,
      })),
    );
  }
}

export const digestOfText = (text: string): Digest =>
  `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest; // a digest by construction

function segmentOf(segment: number, segments: number, workMs: number): TfjsTrainingTask {
  const nothing = digestOfText('nothing');
  return {
    type: 'tfjs.train',
    version: 1,
    segment,
    segments,
    fromStep: segment * STEPS,
    toStep: (segment + 1) * STEPS,
    totalSteps: segments * STEPS,
    stepsPerEpoch: STEPS,
    checkpoint: null,
    // How long it takes: the simulated runner has nothing else to go by.
    seed: Math.floor(workMs),
    model: { topology: nothing, weights: null, weightsManifest: null, inputShape: [1] },
    data: {
      train: { arrays: { x: nothing, y: nothing } },
      features: { array: 'x' },
      label: { array: 'y' },
      scale: null,
      shuffle: false,
      validation: '0',
      rows: 1,
    },
    loss: 'meanSquaredError',
    classes: null,
    optimizer: { type: 'sgd', settings: {} },
    metrics: [],
    epochs: 1,
    batchSize: 1,
  };
}
