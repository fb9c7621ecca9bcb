/** When an event was received, in ms since 1970: its id (UUIDv7) says so. */
export function receivedAtOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The least id (UUIDv7) of what is made in a millisecond: ids order as their texts do. */
export function leastIdOf(ms: number): string {
  const digits = Math.min(Math.max(Math.floor(ms), 0), LATEST)
    .toString(16)
    .padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`;
}

const LATEST = 2 ** 48 - 1;
