/** Facts of a log line. Never a key, a token or a payload. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging as the agent needs it; pino's loggers are of this shape. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
