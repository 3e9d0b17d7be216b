/** A small convolutional network for 8 × 8 images, as a TensorFlow.js layers model. */
export const DIGITS_MODEL = {
  class_name: 'Sequential',
  config: {
    name: 'digits',
    layers: [
      {
        class_name: 'Conv2D',
        config: {
          name: 'strokes',
          filters: 16,
          kernel_size: [3, 3],
          padding: 'same',
          activation: 'relu',
          batch_input_shape: [null, 8, 8, 1],
        },
      },
      {
        class_name: 'Conv2D',
        config: {
          name: 'shapes',
          filters: 32,
          kernel_size: [3, 3],
          padding: 'same',
          activation: 'relu',
        },
      },
      { class_name: 'MaxPooling2D', config: { name: 'pool', pool_size: [2, 2] } },
      { class_name: 'Flatten', config: { name: 'flat' } },
      { class_name: 'Dense', config: { name: 'hidden', units: 64, activation: 'relu' } },
      { class_name: 'Dense', config: { name: 'digit', units: 10, activation: 'softmax' } },
    ],
  },
};
