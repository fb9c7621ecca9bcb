import cliProgress from 'cli-progress';

const EVERY_MS = 2000;

/** How far a long piece of work is: a bar on a terminal, else a line now and then. */
export interface Progress {
  readonly step: (done: number, of: number) => void;
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
    const bar = new cliProgress.SingleBar(
      {
        format: `${doing} [{bar}] {value} of {total} ${what}`,
        stream,
        clearOnComplete: true,
        hideCursor: true,
      },
      cliProgress.Presets.legacy,
    );
    return {
      step: (done, of) => {
        if (!bar.isActive) bar.start(of, 0);
        bar.update(done);
      },
      say: (line) => {
        // The bar is drawn again with the next step.
        stream.write(bar.isActive ? `\r\u001b[K${line}\n` : `${line}\n`);
      },
      end: () => {
        bar.stop();
      },
    };
  }
  let last = performance.now();
  return {
    step: (done, of) => {
      if (performance.now() - last < EVERY_MS) return;
      last = performance.now();
      stream.write(`${did} ${done} of ${of} ${what}\n`);
    },
    say: (line) => {
      stream.write(`${line}\n`);
    },
    end: () => undefined,
  };
}
