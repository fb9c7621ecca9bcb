import { useLocation } from 'wouter';

/** The page of a process, or of another root entity. */
export function processPath(entity: string): string {
  return `/processes/${encodeURIComponent(entity)}`;
}

export function eventPath(id: string): string {
  return `/events/${encodeURIComponent(id)}`;
}

/**
 * The last segment of the address as it was meant: ids of senders may hold anything, also `%` and `/`, which the
 * parameters of a route do not tell apart from what is encoded.
 */
export function useLastSegment(): string {
  useLocation();
  const raw = window.location.pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw;
  }
}
