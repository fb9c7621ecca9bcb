/** Which rows of a list: up to `limit` and one more, which says that there are others, older than the row `after`. */
export interface Slice {
  readonly limit: number;
  /** The id of the last row that was seen; null: from the newest. */
  readonly after: string | null;
}
