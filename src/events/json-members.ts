const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The members of a JSON object, each value as the bytes that it stands in: nothing is parsed, so no number loses a digit.
 * Of a name that stands there twice the last one. Null: it is no object. What is wrong within a value is left to whoever
 * parses that.
 */
export function jsonMembers(json: Buffer): ReadonlyMap<string, Buffer> | null {
  let at = skipBlanks(json, 0);
  if (json[at] !== OPEN_OBJECT) return null;
  const members = new Map<string, Buffer>();
  at = skipBlanks(json, at + 1);
  if (json[at] === CLOSE_OBJECT) return endsAt(json, at + 1) ? members : null;
  for (;;) {
    if (json[at] !== QUOTE) return null;
    const nameEnd = endOfText(json, at);
    if (nameEnd < 0) return null;
    const name = nameOf(json.subarray(at, nameEnd));
    at = skipBlanks(json, nameEnd);
    if (name === null || json[at] !== COLON) return null;
    at = skipBlanks(json, at + 1);
    const end = endOfValue(json, at);
    if (end <= at) return null;
    members.set(name, json.subarray(at, end));
    at = skipBlanks(json, end);
    if (json[at] === CLOSE_OBJECT) return endsAt(json, at + 1) ? members : null;
    if (json[at] !== COMMA) return null;
    at = skipBlanks(json, at + 1);
  }
}

function nameOf(quoted: Buffer): string | null {
  if (!quoted.includes(BACKSLASH)) return quoted.toString('utf8', 1, quoted.length - 1);
  try {
    return String(JSON.parse(quoted.toString('utf8')));
  } catch {
    return null;
  }
}

function skipBlanks(json: Buffer, from: number): number {
  let at = from;
  while (at < json.length && (json[at] ?? 0) <= 0x20) at += 1;
  return at;
}

const endsAt = (json: Buffer, at: number): boolean => skipBlanks(json, at) === json.length;

/** Behind the quotation mark that ends the text that begins at `from`; -1: none does. */
function endOfText(json: Buffer, from: number): number {
  for (let at = from + 1; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  return -1;
}

/** Behind the value that begins at `from`; -1: it does not end. */
function endOfValue(json: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) {
      at = endOfText(json, at) - 1;
      if (at < 0) return -1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth += 1;
      continue;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      // The end of the object around a number or a word.
      if (depth === 0) return at;
      depth -= 1;
    } else if (depth > 0 || (byte !== COMMA && (byte ?? 0) > 0x20)) continue;
    else return at;
    if (depth === 0) return at + 1;
  }
  return -1;
}
