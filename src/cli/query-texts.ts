/** A query as it stands in an address. */
export function queryTexts(
  query: Readonly<Record<string, string | number | boolean | Date | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]): [string, string][] => {
      if (value === undefined) return [];
      return [[name, value instanceof Date ? value.toISOString() : String(value)]];
    }),
  );
}
