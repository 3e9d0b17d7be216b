// Trains one neuron to count by the native addon. Run in a process of its own: a bad addon may end it.
const util = require('node:util');

// tfjs-node still uses these two, which newer versions of Node have no more.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;

async function main(packageFolder) {
  const tf = require(packageFolder);
  if (tf.getBackend() !== 'tensorflow') throw new Error(`the backend is ${tf.getBackend()}`);
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] });
  model.compile({ optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError' });
  await model.fit(tf.tensor2d([[0], [1], [2], [3]]), tf.tensor2d([[1], [3], [5], [7]]), {
    epochs: 120,
    verbose: 0,
  });
  const [predicted] = model.predict(tf.tensor2d([[10]])).dataSync();
  if (!(Math.abs(predicted - 21) < 1.5)) throw new Error(`2 x 10 + 1 came out as ${predicted}`);
  console.log(JSON.stringify({ libtensorflow: tf.backend().binding.TF_Version }));
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
