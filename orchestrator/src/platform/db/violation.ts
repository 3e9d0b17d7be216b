/** Whether a statement failed on this constraint. */
export function violates(cause: unknown, constraint: string): boolean {
  return (
    typeof cause === 'object' &&
    cause !== null &&
    'constraint' in cause &&
    cause.constraint === constraint
  );
}
