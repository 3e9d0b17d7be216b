import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** What the framework complains about, as lines of the process's own log. How its start proceeds is nobody's concern. */
export function nestLog(log: Logger): LoggerService {
  return {
    fatal: (message: unknown, ...more: unknown[]) => log.fatal(...lineOf(message, more)),
    error: (message: unknown, ...more: unknown[]) => log.error(...lineOf(message, more)),
    warn: (message: unknown, ...more: unknown[]) => log.warn(...lineOf(message, more)),
    log: () => undefined,
  };
}

/** Nest gives a message or an error, then perhaps a stack, then the name of the class that speaks. */
function lineOf(message: unknown, more: readonly unknown[]): [object, string] {
  const texts = more.filter((one) => typeof one === 'string');
  const err = [message, ...more].find((one) => one instanceof Error);
  return [
    { err, from: texts.at(-1), stack: texts.length > 1 ? texts[0] : undefined },
    message instanceof Error ? message.message : String(message),
  ];
}
