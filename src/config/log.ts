import pino from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.js';

/** The structured log of the process. Never give it a body, a secret or a whole request. */
export abstract class Log {
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
  /** Writes out what is buffered. */
  abstract flush(): void;
}

/**
 * A log on standard output, or in a file: JSON lines, or readable ones on a terminal. Lines are written asynchronously and
 * dropped when a blocked reader leaves more than 16 MB waiting: a stuck log collector must not stop acknowledgements.
 */
export function createLog(config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>, file?: string): Log {
  const terminal = file === undefined && process.stdout.isTTY;
  const format = config.LOG_FORMAT ?? (terminal ? 'pretty' : 'json');
  const destination =
    format === 'pretty'
      ? pretty({
          colorize: terminal,
          destination: file ?? 1,
          ignore: 'pid,hostname',
          translateTime: 'HH:MM:ss.l',
          sync: false,
        })
      : pino.destination({ dest: file ?? 1, mkdir: true, sync: false, maxLength: 16 * 1024 * 1024 });
  return pino(
    {
      level: config.LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    destination,
  );
}

/** What an error says, for a log line or a row: never more than 500 characters, control characters escaped. */
export function messageOf(error: unknown): string {
  const text =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  // eslint-disable-next-line no-control-regex
  return text.slice(0, 500).replace(/[\u0000-\u001f\u007f]/g, ' ');
}
