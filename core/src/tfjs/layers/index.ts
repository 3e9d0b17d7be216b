import { CONVOLUTION_LAYERS } from './convolution.js';
import { DENSE_LAYERS } from './dense.js';
import { RECURRENT_LAYERS } from './recurrent.js';
import type { LayerRule } from './rule.js';
import { SHAPE_LAYERS } from './shape.js';

/** Every layer a topology may hold, beside InputLayer, by its class name. A layer that is not here is refused. */
export const LAYER_RULES: ReadonlyMap<string, LayerRule> = new Map(
  Object.entries({ ...DENSE_LAYERS, ...SHAPE_LAYERS, ...CONVOLUTION_LAYERS, ...RECURRENT_LAYERS }),
);
