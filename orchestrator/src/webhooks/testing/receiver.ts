import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '../../testing/eventually.js';

export interface WebhookEvent {
  readonly headers: IncomingHttpHeaders & Readonly<Record<`webhook-${string}`, string | undefined>>;
  readonly text: string;
}

/** A server that keeps what is posted to each of its paths. */
export interface Receiver {
  readonly url: string;
  /** What was posted to a path, once there is so much. */
  got(path: string, count: number): Promise<WebhookEvent[]>;
  /** The status that a path answers from now on; 200 before. */
  answer(path: string, status: number): void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const events = new Map<string, WebhookEvent[]>();
  const answers = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const headers = request.headers as WebhookEvent['headers']; // none of these comes twice
      events.set(path, [...(events.get(path) ?? []), { headers, text }]);
      response.writeHead(answers.get(path) ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got: async (path, count) => {
      await eventually(
        () => `${path} got ${events.get(path)?.length ?? 0} of ${count}`,
        async () => (events.get(path)?.length ?? 0) >= count,
      );
      return events.get(path) ?? [];
    },
    answer: (path, status) => void answers.set(path, status),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
