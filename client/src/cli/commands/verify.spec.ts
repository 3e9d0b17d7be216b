import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyFile, type Signer } from '@tidemill/protocol/node';
import { beforeEach, expect, test } from 'vitest';
import type { Checkpoint, TrailEvent } from '../../sdk/types.js';
import { aTrail } from '../../testing/a-trail.js';
import { cliCase } from '../../testing/cli-case.js';

const cli = cliCase();
let operator: Signer;
let shown: { events: TrailEvent[]; checkpoint: Checkpoint };

beforeEach(async () => {
  operator = createKeyFile(join(cli.home, 'operator.json'));
  shown = aTrail(['a', 'b', 'c'], operator);
  await cli.network({
    'GET /v1/trail/checkpoint': () => ({ json: shown.checkpoint }),
    'GET /v1/trail/export': ({ query }) => {
      const head = { checkpoint: shown.checkpoint, witnesses: [] };
      const events = shown.events.slice(Number(query.get('from'))).map((event) => ({ event }));
      return { pieces: [head, ...events].map((line) => `${JSON.stringify(line)}\n`) };
    },
    'GET /v1/trail': ({ query }) => {
      const items = shown.events.slice(Number(query.get('from')));
      return { json: { items, nextCursor: null } };
    },
  });
});

test('a sound trail is said to be sound, and its checkpoint is compared with the next time', async () => {
  const first = await cli.tidemill('verify trail');
  expect(first).toMatchObject({ code: 0, out: expect.stringContaining('The trail is sound') });
  expect(first.out).toContain('0 checkpoints kept');

  shown = aTrail(['a', 'b', 'c', 'd'], operator);
  const second = await cli.tidemill('verify trail --json');
  expect(second.code).toBe(0);
  expect(JSON.parse(second.out)).toMatchObject({
    size: 4,
    vouched: 4,
    comparedWith: 1,
    fault: null,
  });
});

test('an event that was altered is named by its place', async () => {
  shown.events[1] = { ...shown.events[1], body: 'x' } as TrailEvent;
  const { code, out } = await cli.tidemill('verify trail');
  expect(code).toBe(1);
  expect(out).toContain('The trail is bad at place 1.');
  expect(out).toContain('digest');
});

test('a trail that was rewritten as a whole is found out by the checkpoint kept from before', async () => {
  await cli.tidemill('verify trail');
  shown = aTrail(['a', 'other', 'c', 'd'], operator);
  const { code, out } = await cli.tidemill('verify trail');
  expect(code).toBe(1);
  expect(out).toContain('place 2');
  expect(out).toContain('delete it if this network was set up anew on purpose');
});

test('a trail that another key signs is not believed', async () => {
  await cli.tidemill('verify trail');
  shown = aTrail(['a', 'b', 'c', 'd'], createKeyFile(join(cli.home, 'stranger.json')));
  expect((await cli.tidemill('verify trail')).code).toBe(1);
  const { code } = await cli.tidemill(['verify', 'trail', '--public-key', operator.address]);
  expect(code).toBe(1);
});

test('an exported trail is checked without the network, and finds the event that was changed later', async () => {
  const exported = await cli.tidemill('verify trail --export trail.jsonl');
  expect(exported).toMatchObject({ code: 0, err: expect.stringContaining('wrote 3 events') });
  const alone = { env: { TIDEMILL_URL: 'http://127.0.0.1:1' } };
  expect((await cli.tidemill('verify trail --file trail.jsonl', alone)).code).toBe(0);

  const file = join(cli.home, 'trail.jsonl');
  writeFileSync(
    join(cli.home, 'altered.jsonl'),
    readFileSync(file, 'utf8').replace('"body":"c"', '"body":"C"'),
  );
  const altered = await cli.tidemill('verify trail --file altered.jsonl', alone);
  expect(altered).toMatchObject({ code: 1, out: expect.stringContaining('place 2') });

  shown = aTrail(['a', 'other', 'c'], operator);
  const named = await cli.tidemill('verify trail --copy trail.jsonl');
  expect(named).toMatchObject({
    code: 1,
    out: expect.stringContaining('The trail is bad at place 1.'),
  });
});

test('a file that is no trail is named with its line', async () => {
  writeFileSync(join(cli.home, 'x.jsonl'), '{"neither": 1}\n');
  const { code, err } = await cli.tidemill('verify trail --file x.jsonl');
  expect(code).toBe(1);
  expect(err).toContain('line 1 of');
});
