import { join } from 'node:path';
import { Tidemill } from '@tidemill/client';
import { SettlementOnChain } from '@tidemill/client/chain';
import type { Network } from '@tidemill/localnet';
import { parseAmount } from '@tidemill/protocol';
import { createKeyFile, loadSigner } from '@tidemill/protocol/node';
import { digitFiles } from '../digits.js';
import { expect } from '../expectation.js';
import { until } from '../until.js';
import type { Stage } from '../stage.js';
import type { StoredDigits, World } from '../world.js';

const TOKENS = '25';
/** A transaction is final after some slots, and the ledger looks every second. */
const SEEN_WITHIN_MS = 30_000;

/** Makes a submitter with tokens, who deposits them on chain, and stores the digits in the network. */
export async function aSubmitter(
  stage: Stage,
  network: Network,
): Promise<{ world: World; digits: StoredDigits }> {
  stage.heading('A submitter, its deposit on chain, and its data');
  const { url, dir, adminKeyFile, settlement: place } = network;
  expect(place !== null, 'the network should be on chain', 'it is not');
  const signer = createKeyFile(join(dir, 'keys', 'submitter.json'));
  const amount = parseAmount(TOKENS) ?? 0n;
  await place.fund(signer.address, amount);
  const chain = await SettlementOnChain.open(place);
  const { signature } = await chain.deposit(signer, signer.address, amount);
  const submitter = new Tidemill({ url, signer });
  await until(
    `the ledger should see the ${TOKENS} tokens`,
    async () => BigInt((await submitter.account.get()).available) === amount,
    SEEN_WITHIN_MS,
  );
  stage.fact('wallet', signer.address);
  stage.fact('deposit', `${TOKENS} tokens into the vault of ${place.network}`);
  stage.fact('transaction', signature);

  const files = digitFiles();
  const [images, labels, testImages] = await Promise.all(
    [files.trainImages, files.trainLabels, files.testImages].map(
      async (path) => (await submitter.artifacts.put({ path })).digest,
    ),
  );
  expect(
    images !== undefined && labels !== undefined && testImages !== undefined,
    'three files should be stored',
    'one is missing',
  );
  stage.fact('data', 'handwritten digits: 1,437 images to learn from, 360 held back');
  return {
    world: {
      stage,
      network,
      submitter,
      wallet: signer,
      operator: new Tidemill({ url, signer: loadSigner(adminKeyFile) }),
      place,
    },
    digits: { images, labels, testImages },
  };
}
