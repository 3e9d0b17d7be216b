import { expect, test } from 'vitest';
import { cliCase } from '../../testing/cli-case.js';

const cli = cliCase();
const ID = 'whk_01h455vb4pex5vsknk084sn02q';
const delivery = (state: string, tries: object[]) => ({
  json: {
    id: '7',
    event: 'evt_1',
    type: 'webhook.test',
    at: '2030-01-01T00:00:00Z',
    state,
    nextTryAt: null,
    tries,
  },
});

test('an endpoint is made with its events, and its secret is what is printed', async () => {
  await cli.network({
    'POST /v1/webhooks': () => ({ status: 201, json: { id: ID, secret: 'whsec_x' } }),
  });
  const { out, err } = await cli.tidemill(
    'webhooks create https://x.example/hook --events job.failed,balance.low',
  );
  expect(out).toBe(`${ID}\nwhsec_x\n`);
  expect(err).toContain('shown this once');
  expect(cli.requests[0]?.json()).toEqual({
    url: 'https://x.example/hook',
    events: ['job.failed', 'balance.low'],
  });
});

test('an event that does not exist is a usage error that names those that do', async () => {
  const { code, err } = await cli.tidemill('webhooks create https://x.example --events job.eaten');
  expect(code).toBe(2);
  expect(err).toContain('job.succeeded');
});

test('a test that did not arrive ends with a failure and says why', async () => {
  const tried = {
    number: 1,
    at: '2030-01-01T00:00:00Z',
    ms: 3,
    status: 500,
    error: 'answered 500',
  };
  await cli.network({ [`POST /v1/webhooks/${ID}/test`]: () => delivery('failed', [tried]) });
  const { code, out } = await cli.tidemill(`webhooks test ${ID}`);
  expect([code, out]).toEqual([1, 'failed: answered 500\n']);
});
