/** The database cannot be used as it is. The message names what is wrong and the mend. */
export class DatabaseError extends Error {
  constructor(
    readonly code:
      | 'DATABASE_NEWER'
      | 'DATABASE_TOO_OLD'
      | 'DATABASE_NO_BINARIES'
      | 'DATABASE_FILES'
      | 'DATABASE_FILES_VERSION'
      | 'DATABASE_NOT_STARTED',
    message: string,
  ) {
    super(message);
    this.name = 'DatabaseError';
  }
}

/**
 * True when the statement itself was refused for what is in it (SQLSTATE classes 22, 23, 54, and 21): sending the
 * same rows again cannot help. Anything else (connection lost, lock timeout, disk full) may pass later.
 */
export function isDataError(error: unknown): boolean {
  return /^(?:21|22|23|54)/.test(sqlState(error) ?? '');
}

/** The SQLSTATE of a PostgreSQL error, also through TypeORM's wrapping; null for others. */
export function sqlState(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code;
  return driverError === undefined ? null : sqlState(driverError);
}
