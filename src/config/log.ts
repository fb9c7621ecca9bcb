import pino from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config.js';

/** The structured log of the process. Never give it a body, a secret or a whole request. */
export abstract class Log {
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
  /** Writes out what is gathered, before the process ends. */
  abstract flush(): void;
}

/**
 * A log on standard output, or in a file: JSON lines, or readable ones on a terminal. JSON lines are gathered and
 * written asynchronously, a quarter of a second later at most, and dropped when a blocked reader leaves more than
 * 16 MB waiting: neither the log nor whoever reads it may stop acknowledgements.
 */
export function createLog(config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>, file?: string): Log {
  const terminal = file === undefined && process.stdout.isTTY;
  const options = {
    level: config.LOG_LEVEL,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }) },
  };
  if ((config.LOG_FORMAT ?? (terminal ? 'pretty' : 'json')) === 'pretty') {
    const readable = pretty({
      colorize: terminal,
      destination: file ?? 1,
      ignore: 'pid,hostname',
      translateTime: 'HH:MM:ss.l',
      sync: true,
    });
    return new PinoLog(pino(options, readable), () => undefined);
  }
  const lines = pino.destination({
    dest: file ?? 1,
    mkdir: true,
    sync: false,
    minLength: 8192,
    periodicFlush: 250,
    maxLength: 16 * 1024 * 1024,
  });
  return new PinoLog(pino(options, lines), () => {
    lines.flushSync();
  });
}

class PinoLog extends Log {
  constructor(
    private readonly pino: pino.Logger,
    private readonly writeOut: () => void,
  ) {
    super();
  }

  debug(fields: object, message: string): void {
    this.pino.debug(fields, message);
  }

  info(fields: object, message: string): void {
    this.pino.info(fields, message);
  }

  warn(fields: object, message: string): void {
    this.pino.warn(fields, message);
  }

  error(fields: object, message: string): void {
    this.pino.error(fields, message);
  }

  flush(): void {
    try {
      this.writeOut();
    } catch {
      // Nothing was written yet, or the reader is gone.
    }
  }
}

/** What an error says, for a log line or a row: never more than 500 characters, control characters escaped. */
export function messageOf(error: unknown): string {
  const text =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  // eslint-disable-next-line no-control-regex
  return text.slice(0, 500).replace(/[\u0000-\u001f\u007f]/g, ' ');
}
