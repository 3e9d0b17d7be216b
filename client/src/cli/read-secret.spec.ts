import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readSecret } from './read-secret.js';

/** A terminal on which this is typed, line by line, as soon as it is asked for; and what it shows. */
function aTerminal(...typed: string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const screen = new PassThrough();
  let shown = '';
  screen.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    if (!chunk.toString().endsWith(': ')) return;
    const line = typed.shift();
    if (line !== undefined) setImmediate(() => input.write(line));
  });
  return { input, screen, shown: () => shown };
}

test('at a terminal a secret is asked for and never shown', async () => {
  const { input, screen, shown } = aTerminal('correct horse\r');
  expect(await readSecret(input, screen, 'Passphrase: ')).toBe('correct horse');
  expect(shown()).toBe('Passphrase: \n');
});

test('where a slip would cost something it is asked for twice', async () => {
  const same = aTerminal('correct horse\r', 'correct horse\r');
  expect(await readSecret(same.input, same.screen, 'Passphrase: ', { twice: true })).toBe(
    'correct horse',
  );
  const slip = aTerminal('correct horse\r', 'correct house\r');
  await expect(
    readSecret(slip.input, slip.screen, 'Passphrase: ', { twice: true }),
  ).rejects.toThrow('The two lines differ.');
});

test('Ctrl-C at the question ends the command', async () => {
  const { input, screen } = aTerminal('corr\u0003');
  await expect(readSecret(input, screen, 'Passphrase: ')).rejects.toMatchObject({
    name: 'InterruptedError',
  });
});

test('what is piped in is read to its first line, and nothing is asked', async () => {
  const input = new PassThrough();
  const screen = new PassThrough();
  input.end('correct horse\r\nbattery\n');
  expect(await readSecret(input, screen, 'Passphrase: ', { twice: true })).toBe('correct horse');
  expect(screen.read()).toBeNull();
});
