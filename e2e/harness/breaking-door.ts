import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A door in front of an orchestrator that breaks what can break between a client and it. */
export interface BreakingDoor {
  readonly url: string;
  /** How often it answered 503 by itself, and how many streams it cut. */
  readonly broken: { refused: number; cut: number };
  close(): Promise<void>;
}

/** Refuses the first try of every submission with 503, and cuts each job's first stream of events after its first piece. */
export async function breakingDoor(target: string): Promise<BreakingDoor> {
  const broken = { refused: 0, cut: 0 };
  const seen = new Set<string>();
  const isFirst = (what: string) => !seen.has(what) && seen.add(what).has(what);
  const server = createServer((incoming, outgoing) => {
    const { method, url = '', headers } = incoming;
    const key = headers['idempotency-key'];
    if (key !== undefined && isFirst(String(key))) {
      broken.refused += 1;
      incoming.resume();
      outgoing.writeHead(503, { 'retry-after': '1' }).end();
      return;
    }
    const cuts = url.endsWith('/events') && isFirst(url);
    const onward = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      if (!cuts) {
        answer.pipe(outgoing);
        return;
      }
      answer.once('data', (piece: Buffer) => {
        broken.cut += 1;
        outgoing.write(piece, () => {
          onward.destroy();
          outgoing.destroy();
        });
      });
    });
    onward.on('error', () => outgoing.destroy());
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
