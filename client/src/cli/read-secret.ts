import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CliError } from './failure.js';
import { InterruptedError } from './interrupted-error.js';

/** Where a secret comes from: a terminal, or what is piped in. */
type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/**
 * A line that nobody who looks over a shoulder or into a terminal's history may read. At a terminal it is asked for and not shown
 * (twice where a slip would cost something); otherwise it is the first line of the input.
 * @throws CliError when the two lines differ, InterruptedError on Ctrl-C
 */
export async function readSecret(
  input: Input,
  screen: NodeJS.WritableStream,
  prompt: string,
  { twice = false }: { readonly twice?: boolean } = {},
): Promise<string> {
  if (input.isTTY !== true) return (await text(input)).split(/\r?\n/)[0] ?? '';
  const secret = await hiddenLine(input, screen, prompt);
  if (twice && (await hiddenLine(input, screen, 'Once more: ')) !== secret)
    throw new CliError('The two lines differ.', 'Nothing was done; try again.');
  return secret;
}

function hiddenLine(input: Input, screen: NodeJS.WritableStream, prompt: string): Promise<string> {
  screen.write(prompt);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal: true });
  return new Promise<string>((resolve, reject) => {
    lines.once('line', resolve);
    lines.once('SIGINT', () => reject(new InterruptedError()));
    lines.once('close', () => resolve(''));
  }).finally(() => {
    lines.close();
    screen.write('\n');
  });
}
