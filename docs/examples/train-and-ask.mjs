// Trains a small network on handwritten digits, then asks it what it sees on others: node docs/examples/train-and-ask.mjs
// TIDEMILL_URL and TIDEMILL_API_KEY say where and as whom.

import { join } from 'node:path';
import { Tidemill, TidemillError } from '@tidemill/client';

const DIGITS = join(import.meta.dirname, '..', '..', 'bench', 'data', 'digits');
const tidemill = new Tidemill({ url: process.env.TIDEMILL_URL, key: process.env.TIDEMILL_API_KEY });

const store = async (name) => (await tidemill.artifacts.put({ path: join(DIGITS, name) })).digest;
const common = {
  resources: { cpu: 0.5, memory: '900MB' },
  limits: { maxDuration: '10m' },
  verify: 'none',
};

/** Submits a job, tells what happens to it, and gives its outputs by name. */
async function done(spec) {
  const { id } = await tidemill.jobs.create({ ...spec, ...common });
  const job = await tidemill.jobs.wait(id, { onEvent: ({ type }) => console.log(spec.name, type) });
  if (job.state !== 'succeeded') throw new Error(`${job.reason?.code}: ${job.reason?.message}`);
  const outputs = await tidemill.jobs.outputs(id);
  return Object.fromEntries(outputs.map(({ name, digest }) => [name, digest]));
}

try {
  const model = await done({
    kind: 'training',
    name: 'train',
    runtime: {
      tfjs: {
        model: {
          topology: {
            class_name: 'Sequential',
            config: {
              layers: [
                { class_name: 'Flatten', config: { batch_input_shape: [null, 8, 8, 1] } },
                { class_name: 'Dense', config: { units: 10, activation: 'softmax' } },
              ],
            },
          },
        },
        data: {
          train: {
            arrays: {
              images: await store('train-images.npy'),
              labels: await store('train-labels.npy'),
            },
          },
          features: { array: 'images' },
          label: { array: 'labels', classes: 10 },
          scale: { divide: 16 },
        },
        loss: 'sparseCategoricalCrossentropy',
        optimizer: { type: 'adam', learningRate: 0.01 },
        epochs: 3,
        batchSize: 64,
        seed: 7,
      },
    },
  });
  const answers = await done({
    kind: 'inference',
    name: 'ask',
    runtime: {
      tfjs: {
        model: { topology: model['model.json'], weights: model['weights.bin'] },
        data: {
          input: { arrays: { images: await store('test-images.npy') } },
          features: { array: 'images' },
          scale: { divide: 16 },
        },
        output: { labels: true },
        batchSize: 64,
      },
    },
  });
  for (const [name, digest] of Object.entries(answers))
    console.log(`${name}: ${(await tidemill.artifacts.get(digest)).length} bytes`);
} catch (error) {
  if (!(error instanceof TidemillError)) throw error;
  console.error(error.detail, error.next ?? '');
  process.exitCode = 1;
}
