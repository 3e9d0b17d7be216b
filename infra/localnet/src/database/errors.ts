/** The database could not be set up or started; the message says what to do. */
export class DatabaseStartError extends Error {
  override readonly name: string = 'DatabaseStartError';
}

/** Another running server holds the data folder; it was left alone. */
export class DatabaseInUseError extends DatabaseStartError {
  override readonly name = 'DatabaseInUseError';
  constructor(dir: string, options?: ErrorOptions) {
    super(`the database in ${dir} is already running: stop that network first`, options);
  }
}
