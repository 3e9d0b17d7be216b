import { expect, test } from 'vitest';
import { TestNetwork } from './testing/network.js';

test('what a submitter deposits reaches the worker that earned it, and the rest goes back (G8)', async () => {
  const network = await TestNetwork.open();
  const { chain } = network;
  const submitter = await network.submitter(1_000n);
  const worker = network.worker();
  network.work(0, worker.index, 400n, 40n);
  network.settle();

  const claimed = chain.must([await network.claim(worker.index, worker.tokens)]);
  expect(chain.balance(worker.tokens)).toBe(360n);
  expect(chain.events(claimed)).toMatchObject([{ name: 'claimed', data: { index: 0 } }]);

  chain.must(
    [await network.build.requestWithdrawal(submitter.key.publicKey, 10_000n)],
    [submitter.key],
  );
  chain.pass(1n);
  network.settle();
  chain.must([await network.withdrawal(0, submitter.key.publicKey, submitter.tokens)]);
  expect(chain.balance(submitter.tokens)).toBe(600n);
  expect(chain.balance(network.at.vault)).toBe(40n);
});
