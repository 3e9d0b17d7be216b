import type { Transport } from './transport.js';

/** The lines of an answer, as fast as they are read. @throws SyntaxError when it ends in the middle of one, and what the connection throws */
export async function* linesOf(transport: Transport, url: string): AsyncGenerator<string> {
  const { body } = await transport.send(() => new Request(url));
  if (body === null) return;
  let rest = '';
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') throw new SyntaxError('the answer ends in the middle of a line');
}
