import cliProgress from 'cli-progress';

const EVERY_MS = 2000;

/** How far a long piece of work is: a bar on a terminal, else a line now and then. */
export interface Progress {
  /** `of` null: nobody knows how much there is. */
  readonly step: (done: number, of: number | null) => void;
  /** Writes a line without spoiling the bar. */
  readonly say: (line: string) => void;
  readonly end: () => void;
}

/** `doing` and `done`: what is said of the work under way, like "checking" and "checked"; `what`: "files". */
export function progressOn(
  stream: NodeJS.WriteStream,
  { doing, done: did, what }: { readonly doing: string; readonly done: string; readonly what: string },
): Progress {
  if (stream.isTTY) {
    let bar: cliProgress.SingleBar | null = null;
    const begun = (of: number | null): cliProgress.SingleBar => {
      const format =
        of === null ? `${doing}: {value} ${what}` : `${doing} [{bar}] {value} of {total} ${what}`;
      const options = { format, stream, clearOnComplete: true, hideCursor: true };
      const begin = new cliProgress.SingleBar(options, cliProgress.Presets.legacy);
      begin.start(of ?? 0, 0);
      return begin;
    };
    return {
      step: (done, of) => {
        bar ??= begun(of);
        bar.update(done);
      },
      say: (line) => {
        // The bar is drawn again with the next step.
        stream.write(bar ? `\r\u001b[K${line}\n` : `${line}\n`);
      },
      end: () => {
        bar?.stop();
      },
    };
  }
  let last = performance.now();
  return {
    step: (done, of) => {
      if (performance.now() - last < EVERY_MS) return;
      last = performance.now();
      stream.write(`${did} ${done}${of === null ? '' : ` of ${of}`} ${what}\n`);
    },
    say: (line) => {
      stream.write(`${line}\n`);
    },
    end: () => undefined,
  };
}
