import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digitFiles } from '../demo/digits.js';

/** Writes a training job that takes a second, with its data beside it, as a submitter would; `settings` are lines of YAML. */
export function writeSmallTraining(
  folder: string,
  file: string,
  { tfjs = '', job = '' }: { readonly tfjs?: string; readonly job?: string } = {},
): void {
  const files = digitFiles();
  copyFileSync(files.testImages, join(folder, 'x.npy'));
  copyFileSync(files.testLabels, join(folder, 'y.npy'));
  const spec = `kind: training
runtime:
  tfjs:
    model:
      topology:
        class_name: Sequential
        config:
          layers:
            - { class_name: Flatten, config: { batch_input_shape: [null, 8, 8, 1] } }
            - { class_name: Dense, config: { units: 10, activation: softmax } }
    data:
      train: { arrays: { x: ./x.npy, y: file:y.npy } }
      features: { array: x }
      label: { array: y, classes: 10 }
      scale: { divide: 16 }
    loss: sparseCategoricalCrossentropy
    epochs: 2
${tfjs === '' ? '' : `    ${tfjs}\n`}resources: { cpu: 0.6, memory: 900MB }
${job === '' ? '' : `${job}\n`}`;
  writeFileSync(join(folder, file), spec);
}
