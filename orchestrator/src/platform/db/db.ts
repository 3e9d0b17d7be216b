/** Something SQL can be sent to: a transaction, or the pool when one statement is all. */
export interface Tx {
  /** Rows of one statement. bigint columns come as bigint, timestamps as Date. */
  query<R extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<R[]>;
}

/** The database as the loops see it (role tidemill_app). */
export abstract class Db implements Tx {
  /** One statement, a transaction of its own; a deadlock or serialization failure runs it again. */
  abstract query<R extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
  ): Promise<R[]>;

  /**
   * Runs `work` in one transaction. A deadlock or serialization failure runs it again, so it must not act outside the
   * transaction. @throws DatabaseUnavailableError when the outcome is not known or nothing answers
   */
  abstract transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** The same database under the sequencer's role, which alone gives trail events their place. */
export abstract class SequencerDb extends Db {}

/** The database did not answer, or a commit's outcome is not known. Repeating a statement that carries its key is safe. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}

/** Separates JSON texts that travel as one parameter: JSON escapes control characters, so none of them contains it. */
const SEPARATOR = '\u001e';

/** JSON texts as one parameter for `fromJsonTexts`: spelling them as an array literal would escape every quote in them. */
export const jsonTexts = (texts: readonly string[]): string => texts.join(SEPARATOR);

/** SQL for the list behind such a parameter. */
export const fromJsonTexts = (parameter: string): string =>
  `string_to_array(${parameter}, E'\\x1e')`;
