import type { BuiltModel } from './model.js';
import { toCanonical } from './tensor-bytes.js';

/**
 * The trained model as the two files that `tf.loadLayersModel` reads anywhere: `model.json` with its manifest, and the raw weights
 * one after the other in the model's order. The same two files are what an inference job takes.
 */
export function modelFiles(
  topology: string,
  { weights }: BuiltModel,
): { readonly model: Uint8Array; readonly weights: Uint8Array } {
  const tensors = weights.map(({ name, variable }) => toCanonical(name, variable));
  const document = {
    format: 'layers-model',
    generatedBy: 'tidemill',
    convertedBy: null,
    modelTopology: JSON.parse(topology) as unknown,
    weightsManifest: [
      {
        paths: ['weights.bin'],
        weights: tensors.map(({ name, shape, dtype }) => ({ name, shape, dtype })),
      },
    ],
  };
  return {
    model: new TextEncoder().encode(JSON.stringify(document)),
    weights: Buffer.concat(tensors.map(({ bytes }) => bytes)),
  };
}
