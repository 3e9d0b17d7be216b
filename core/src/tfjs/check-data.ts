import {
  type DataFacts,
  type MatrixFacts,
  type TableResult,
  type TfjsTrainingSpec,
  isClassLoss,
} from '@tidemill/protocol';
import { product } from './layers/rule.js';
import { shapeText } from './layers/shape.js';
import type { ResolvedModel } from './model.js';
import { type Checked, type Path, type RefusalReason, accepted, refused } from './refusal.js';

/** The facts of a data set, or why its files cannot be read. */
export function readFacts(survey: TableResult<DataFacts>): Checked<DataFacts> {
  if (!survey.ok) {
    const { code, message, row, column } = survey.fault;
    const place = [
      row === undefined ? '' : `row ${row}`,
      column === undefined ? '' : `column ${column}`,
    ].filter((part) => part !== '');
    return invalid('TABLE', `${message} (${[code, ...place].join(', ')})`, ['data']);
  }
  if (survey.value.rows < 1) return invalid('TOO_FEW_ROWS', 'the data has no rows', ['data']);
  return accepted(survey.value);
}

/** Whether every row can be shown to the model: finite numbers, as many as it takes, indexes inside an embedding's table. */
export function checkFeatures(
  features: MatrixFacts,
  model: ResolvedModel,
  isScaled: boolean,
): Checked<null> {
  const path: Path = ['data', 'features'];
  const finite = checkFinite(features, 'features', path);
  if (!finite.ok) return finite;
  if (features.width !== product(model.inputShape))
    return invalid(
      'FEATURE_WIDTH',
      `a row has ${features.width} values, the model takes ${shapeText(model.inputShape)}, that is ${product(model.inputShape)}`,
      path,
    );

  const table = model.layers.find((layer, i) => layer.className === 'Embedding' && i <= 1)?.config[
    'input_dim'
  ];
  if (typeof table !== 'number') return accepted(null);
  if (isScaled || !features.whole || features.min < 0 || features.max >= table)
    return invalid(
      'FEATURE_RANGE',
      `an Embedding takes unscaled whole numbers from 0 to ${table - 1}; the data has ${features.min} to ${features.max}`,
      path,
    );
  return accepted(null);
}

/** Whether labels, loss and the model's output fit each other. Returns the number of classes, or null when there are none. */
export function checkLabels(
  spec: TfjsTrainingSpec,
  label: MatrixFacts | null,
  model: ResolvedModel,
): Checked<number | null> {
  const path: Path = ['data', 'label'];
  if (label === null) return invalid('LABEL_MISSING', 'training needs labels', path);
  const finite = checkFinite(label, 'labels', path);
  if (!finite.ok) return finite;
  const outputs = product(model.outputShape);
  if (!isClassLoss(spec.loss)) {
    if (spec.data.label.classes !== undefined)
      return invalid('CLASSES', `classes have no meaning for ${spec.loss}`, [...path, 'classes']);
    return label.width === outputs
      ? accepted(null)
      : invalid('LABEL_WIDTH', `a row has ${label.width} labels, the model gives ${outputs}`, path);
  }
  return spec.loss === 'binaryCrossentropy'
    ? checkBinary(spec, label, model)
    : checkClasses(spec, label, model);
}

function checkClasses(
  spec: TfjsTrainingSpec,
  label: MatrixFacts,
  model: ResolvedModel,
): Checked<number> {
  const { classes } = spec.data.label;
  if (classes === undefined)
    return invalid('CLASSES', `${spec.loss} needs the number of classes`, [
      'data',
      'label',
      'classes',
    ]);
  const [outputs] = model.outputShape;
  if (model.outputShape.length !== 1 || outputs !== classes)
    return invalidModel(
      'OUTPUT_SHAPE',
      `the model gives ${shapeText(model.outputShape)} where ${classes} classes need [${classes}]`,
    );
  if (activationOf(model) !== 'softmax')
    return invalidModel(
      'OUTPUT_ACTIVATION',
      `${spec.loss} takes probabilities: end the model with softmax`,
    );
  return checkRange(label, classes, classes);
}

function checkBinary(
  spec: TfjsTrainingSpec,
  label: MatrixFacts,
  model: ResolvedModel,
): Checked<number> {
  const { classes = 2 } = spec.data.label;
  if (classes !== 2)
    return invalid('CLASSES', 'binaryCrossentropy has two classes', ['data', 'label', 'classes']);
  if (product(model.outputShape) !== 1)
    return invalidModel(
      'OUTPUT_SHAPE',
      `the model gives ${shapeText(model.outputShape)} where binaryCrossentropy needs one value`,
    );
  if (activationOf(model) !== 'sigmoid')
    return invalidModel(
      'OUTPUT_ACTIVATION',
      'binaryCrossentropy takes a probability: end the model with sigmoid',
    );
  return checkRange(label, 2, 2);
}

function checkRange(label: MatrixFacts, below: number, classes: number): Checked<number> {
  const path: Path = ['data', 'label'];
  if (label.width !== 1)
    return invalid(
      'LABEL_WIDTH',
      `a row has ${label.width} labels where one class index is needed`,
      path,
    );
  return label.whole && label.min >= 0 && label.max < below
    ? accepted(classes)
    : invalid(
        'LABEL_RANGE',
        `labels are class indexes from 0 to ${below - 1}; the data has ${label.min} to ${label.max}${label.whole ? '' : ' and fractions'}`,
        path,
      );
}

/** What the model does last to its values; the name of an activation. */
function activationOf({ outputLayer }: ResolvedModel): string {
  if (outputLayer.className === 'Softmax') return 'softmax';
  const { activation } = outputLayer.config;
  return typeof activation === 'string' ? activation : 'linear';
}

function checkFinite(matrix: MatrixFacts, what: string, path: Path): Checked<null> {
  if (matrix.notFinite === null) return accepted(null);
  const { row, column } = matrix.notFinite;
  return invalid(
    'NOT_FINITE',
    `the ${what} have a NaN or infinity in row ${row}, column ${column}`,
    path,
  );
}

function invalid(reason: RefusalReason, message: string, path: Path) {
  return refused('DATA_INVALID', reason, message, path);
}

function invalidModel(reason: RefusalReason, message: string) {
  return refused('MODEL_INVALID', reason, message, ['model', 'topology']);
}
