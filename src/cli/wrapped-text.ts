import { displayWidth, graphemesOf } from '../config/terminal-text.js';

// Our own colours; there are no others.
// eslint-disable-next-line no-control-regex
const COLOURS = /(\x1b\[\d+m)/;
const RESET = '\u001b[0m';

/** A text without our colours. */
export function uncoloured(text: string): string {
  return text
    .split(COLOURS)
    .filter((_, at) => at % 2 === 0)
    .join('');
}

/** A text in lines of at most `room` columns. Nothing of it is lost but the blanks at which a line ends. */
export function wrapped(text: string, room: number): string[] {
  return text.split('\n').flatMap((line) => wrappedLine(line, room));
}

function wrappedLine(text: string, room: number): string[] {
  if (displayWidth(uncoloured(text)) <= room) return [text];
  const lines: string[] = [];
  let colour = '';
  let [line, width] = ['', 0];
  // Where the line could end, and how wide it is there.
  let blank: { readonly at: number; readonly width: number } | null = null;
  const end = (): void => {
    lines.push(colour === '' ? line : line + RESET);
    [line, width, blank] = [colour, 0, null];
  };
  for (const [index, part] of text.split(COLOURS).entries()) {
    if (index % 2 === 1) {
      line += part;
      colour = /\[(?:0|22|39|49)m$/.test(part) ? '' : colour + part;
      continue;
    }
    for (const one of graphemesOf(part)) {
      const wide = displayWidth(one);
      if (width > 0 && width + wide > room) {
        // Not after a word or two alone.
        if (blank && blank.width * 2 > room && one !== ' ') {
          const rest = line.slice(blank.at);
          const after = width - blank.width - 1;
          line = line.slice(0, blank.at - 1);
          end();
          line += rest;
          width = after;
        } else end();
        if (one === ' ' && width === 0) continue;
      }
      line += one;
      width += wide;
      if (one === ' ') blank = { at: line.length, width: width - 1 };
    }
  }
  lines.push(line);
  return lines;
}
