import { ownAt } from '../events/own-member.js';

/**
 * Plain paths into a fact: `$.a.b[0]['c']`. json-rules-engine's default, jsonpath-plus, runs code that stands in a
 * path; no author's text ever gets to it.
 */
const SEGMENT =
  /\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[(\d{1,9})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/uy;

/** The keys of a path, or null when it is not plain. */
export function parsePath(path: string): string[] | null {
  if (path.length > 500) return null;
  let at = 0;
  const keys: string[] = [];
  const text = path.startsWith('$') ? path.slice(1) : path.startsWith('[') ? path : `.${path}`;
  while (at < text.length) {
    SEGMENT.lastIndex = at;
    const match = SEGMENT.exec(text);
    if (!match) return null;
    const [, name, index, single, double] = match;
    keys.push(name ?? index ?? (single ?? double ?? '').replace(/\\(.)/g, '$1'));
    at = SEGMENT.lastIndex;
  }
  return keys.length > 0 ? keys : null;
}

const parsed = new Map<string, string[] | null>();

/** The value at `path`, by own members only; undefined when there is none. */
export function resolvePath(value: unknown, path: string): unknown {
  let keys = parsed.get(path);
  if (keys === undefined) {
    keys = parsePath(path);
    // Paths come from rule files only, so there are few; the bound is for a service that reloads for years.
    if (parsed.size > 10_000) parsed.clear();
    parsed.set(path, keys);
  }
  if (keys === null) throw new Error(`"${path}" is no plain path`);
  return ownAt(value, keys);
}
