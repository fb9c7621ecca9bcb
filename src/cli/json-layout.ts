/** JSON for people: what has room on a line stands on one. */
export function layOut(value: unknown, width = 100): string {
  return laidOut(value, width, 0, 0);
}

/** `before`: characters that stand before it on its line. */
function laidOut(value: unknown, width: number, depth: number, before: number): string {
  const line = onOneLine(value);
  if (typeof value !== 'object' || value === null || before + line.length < width) return line;
  const indent = '  '.repeat(depth + 1);
  const parts = Array.isArray(value)
    ? value.map((one) => indent + laidOut(one, width, depth + 1, indent.length))
    : Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .map(([name, one]) => {
          const key = `${indent}${JSON.stringify(name)}: `;
          return key + laidOut(one, width, depth + 1, key.length);
        });
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  return parts.length === 0 ? line : `${open}\n${parts.join(',\n')}\n${'  '.repeat(depth)}${close}`;
}

/** `{ "status": 3, "list": [1, 2] }` */
function onOneLine(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(', ')}]`;
  const members = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .map(([name, one]) => `${JSON.stringify(name)}: ${onOneLine(one)}`);
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}
