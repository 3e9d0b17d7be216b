import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a child answers to: each name takes one argument and gives one answer, both of them plain data. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the only type that every argument fits both ways
export type Handlers = Record<string, (argument: any) => unknown>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/** A process of the benchmark's own, apart from others so that its CPU time can be told from theirs. */
export interface Child<H extends Handlers> {
  readonly pid: number;
  /** Rejects with the child's error, or when the child ends first. */
  call<K extends keyof H & string>(
    name: K,
    argument: Parameters<H[K]>[0],
  ): Promise<Awaited<ReturnType<H[K]>>>;
  /** Settles when it has ended. */
  stop(): Promise<void>;
}

/** Starts a module as a child process that ends with this one. */
export async function startChild<H extends Handlers>(module: URL): Promise<Child<H>> {
  const child = fork(module, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'spawn');
  const waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  child.on('message', (answer: Answer) => {
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) caller?.reject(new Error(answer.error));
    else caller?.resolve(answer.value);
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    const error = new Error(
      `${module.pathname} ended (${String(signal ?? code)}) before it answered`,
    );
    for (const { reject } of waiting.values()) reject(error);
  });
  let calls = 0;
  const call = (name: string, argument: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      const id = (calls += 1);
      waiting.set(id, { resolve, reject });
      child.send({ id, name, argument } satisfies Call, (error) => error && reject(error));
    });
  return {
    pid: child.pid as number, // Known once it has been spawned.
    call: call as Child<H>['call'],
    stop: () => stop(child, ended),
  };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await ended;
}

/** Answers the calls of the process that started this one, and ends with it. */
export function answer(handlers: Handlers): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, name, argument }: Call) => {
    Promise.resolve()
      .then(() => handlers[name]?.(argument))
      .then((value) => process.send?.({ id, value } satisfies Answer))
      .catch((error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        process.send?.({ id, error: text } satisfies Answer);
      });
  });
}
