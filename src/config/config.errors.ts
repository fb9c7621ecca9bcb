/** Every problem found in the settings, so that one start shows all of them. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  constructor(readonly problems: readonly string[]) {
    super(
      `${problems.length} setting${problems.length === 1 ? ' is' : 's are'} wrong:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}
