import type { JobDetail, Output, Tidemill } from '@tidemill/client';
import { TFJS_OUTPUTS } from '@tidemill/protocol';
import { accuracy, digitFiles, readLabels, readNpy } from '../digits.js';
import { expect } from '../expectation.js';
import { inferenceSpec } from '../job-specs.js';
import type { StoredDigits, World } from '../world.js';

const DEADLINE_MS = 60_000;
const WANTED = 0.95;

/** Runs the trained model on images it has never seen, and counts the right answers here, from the downloaded bytes. */
export async function inference(
  world: World,
  trained: JobDetail,
  digits: StoredDigits,
): Promise<JobDetail> {
  const { stage, submitter } = world;
  stage.heading('Inference with the trained model on images it has never seen');
  const made = await submitter.jobs.outputs(trained.id);
  const model = {
    topology: digestOf(made, TFJS_OUTPUTS.model),
    weights: digestOf(made, TFJS_OUTPUTS.weights),
  };
  const { id } = await submitter.jobs.create(inferenceSpec(model, digits.testImages));
  const job = await submitter.jobs.wait(id, { timeoutMs: DEADLINE_MS });
  expect(
    job.state === 'succeeded',
    'the inference should succeed',
    `it ${job.state}: ${job.reason?.message ?? ''}`,
  );

  const truth = readLabels(digitFiles().testLabels);
  const scores = await scoresOf(submitter, job);
  expect(
    scores.values.length === truth.length * 10,
    'ten scores should come for each image',
    `${scores.values.length} came`,
  );
  const share = accuracy(scores, truth);
  const percent = (share * 100).toFixed(1);
  expect(share >= WANTED, `at least ${WANTED * 100} % should be right`, `${percent} % are`);
  stage.good(
    `${Math.round(share * truth.length)} of ${truth.length} digits are right: ${percent} %, counted here from the downloaded scores`,
  );
  return job;
}

function digestOf(outputs: readonly Output[], name: string): string {
  const digest = outputs.find((output) => output.name === name)?.digest;
  expect(
    digest !== undefined,
    `the training should leave ${name}`,
    `it left ${outputs.map((output) => output.name).join(', ')}`,
  );
  return digest;
}

/** The scores of all parts in the order of their rows. */
async function scoresOf(
  { jobs, artifacts }: Tidemill,
  job: JobDetail,
): Promise<{ values: Float32Array; width: number }> {
  const outputs = (await jobs.outputs(job.id)).filter(
    ({ name }) => name === TFJS_OUTPUTS.predictions,
  );
  const parts = await Promise.all(
    job.taskList.map(async ({ id, index }) => {
      const digest = outputs.find(({ taskId }) => taskId === id)?.digest;
      expect(digest !== undefined, `part ${index} should leave its scores`, 'it left none');
      return readNpy(await artifacts.get(digest));
    }),
  );
  return {
    values: Float32Array.from(parts.flatMap(({ values }) => [...values])),
    width: parts[0]?.width ?? 0,
  };
}
