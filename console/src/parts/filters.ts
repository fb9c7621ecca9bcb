import { useSearchParams } from 'wouter';

/**
 * Filters that stand in the address, so that a page can be sent to somebody as it is. Answers those that are set, and
 * what sets one (empty: it is taken out) or several.
 */
export function useFilters<Name extends string>(names: readonly Name[]) {
  const [search, setSearch] = useSearchParams();
  const filters = Object.fromEntries(names.map((name) => [name, search.get(name) ?? ''])) as Record<
    Name,
    string
  >;
  const set = (changes: Partial<Record<Name, string | null>>): void => {
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries<string | null | undefined>(changes))
          if (value === undefined || value === null || value === '') next.delete(name);
          else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  };
  const clear = (): void => {
    set(Object.fromEntries(names.map((name) => [name, null])) as Partial<Record<Name, null>>);
  };
  return { filters, set, clear, any: names.some((name) => filters[name] !== '') };
}
