import { join } from 'node:path';
import { Tidemill } from '@tidemill/client';
import type { Network } from '@tidemill/localnet';
import { formatAmount } from '@tidemill/protocol';
import { createKeyFile, loadSigner } from '@tidemill/protocol/node';
import { digitFiles } from '../digits.js';
import { expect } from '../expectation.js';
import type { Stage } from '../stage.js';
import type { StoredDigits, World } from '../world.js';

const CREDIT = '25';

/** Makes a submitter, whom the operator gives credit, and stores the digits in the network. */
export async function aSubmitter(
  stage: Stage,
  network: Network,
): Promise<{ world: World; digits: StoredDigits }> {
  stage.heading('A submitter with credit, and its data');
  const { url, dir, adminKeyFile } = network;
  const signer = createKeyFile(join(dir, 'keys', 'submitter.json'));
  const operator = new Tidemill({ url, signer: loadSigner(adminKeyFile) });
  await operator.admin.credit(signer.address, CREDIT, 'demo');
  const submitter = new Tidemill({ url, signer });
  const { available } = await submitter.account.get();
  expect(
    formatAmount(BigInt(available)) === CREDIT,
    `the wallet should have ${CREDIT} tokens`,
    `it has ${available} base units`,
  );
  stage.fact('wallet', signer.address);
  stage.fact(
    'credit',
    `${CREDIT} tokens, given by the operator (deposits from a chain come later)`,
  );

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
    world: { stage, network, submitter, wallet: signer.address },
    digits: { images, labels, testImages },
  };
}
