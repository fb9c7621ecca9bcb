/** SQL for a time as a position: lossless, and in the order of its text. */
export function microsOf(column: string): string {
  return `(extract(epoch from ${column}) * 1000000)::bigint::text`;
}

/** SQL for the time of a position. */
export function timeIn(parameter: string): string {
  return `(timestamptz 'epoch' + coalesce(nullif(${parameter}, '')::bigint, 0) * interval '1 microsecond')`;
}
