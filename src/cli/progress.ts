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

/**
 * `doing` and `done`: what is said of the work under way, like "checking" and "checked"; `what`: "files". `rated`: with how
 * many a second, and how long it will still take.
 */
export function progressOn(
  stream: NodeJS.WriteStream,
  {
    doing,
    done: did,
    what,
    rated = false,
  }: { readonly doing: string; readonly done: string; readonly what: string; readonly rated?: boolean },
): Progress {
  const rate = rated ? new Rate() : null;
  if (stream.isTTY) {
    let bar: cliProgress.SingleBar | null = null;
    const begun = (of: number | null): cliProgress.SingleBar => {
      const format =
        (of === null ? `${doing}: {value} ${what}` : `${doing} [{bar}] {value} of {total} ${what}`) +
        (rate ? '{rate}' : '');
      const options = { format, stream, clearOnComplete: true, hideCursor: true };
      const begin = new cliProgress.SingleBar(options, cliProgress.Presets.legacy);
      begin.start(of ?? 0, 0, { rate: '' });
      return begin;
    };
    return {
      step: (done, of) => {
        bar ??= begun(of);
        if (of !== null) bar.setTotal(of);
        bar.update(done, { rate: rate?.text(done, of) ?? '' });
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
      const pace = rate?.text(done, of) ?? '';
      stream.write(`${did} ${done}${of === null ? '' : ` of ${of}`} ${what}${pace}\n`);
    },
    say: (line) => {
      stream.write(`${line}\n`);
    },
    end: () => undefined,
  };
}

class Rate {
  private readonly began = performance.now();

  /** `, 8300/s, 0:42 left`; empty: it has only begun. */
  text(done: number, of: number | null): string {
    const seconds = (performance.now() - this.began) / 1000;
    if (done === 0 || seconds === 0) return '';
    const each = done / seconds;
    const left = of === null ? '' : `, ${timeText((of - done) / each)} left`;
    return `, ${each < 10 ? each.toFixed(1) : Math.round(each)}/s${left}`;
  }
}

/** `1:02:03`, `0:42`. */
function timeText(seconds: number): string {
  const all = Math.max(0, Math.round(seconds));
  const two = (number: number): string => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}
