import {
  keepPreviousData,
  QueryClient,
  useInfiniteQuery,
  useQuery,
  type UseQueryResult,
} from '@tanstack/react-query';
import { api, ApiProblem, type Query } from './client.js';
import type { CatalogueAnswer, Page } from './types.js';

/** Asked again: no answer, or one that says "in a moment". */
function isPassing(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 0 || error.status === 429 || error.status === 503);
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      retry: (count, error) => count < 3 && isPassing(error),
      retryDelay: (count) => 500 * 2 ** count,
    },
  },
});

export interface AskOptions<T = never> {
  /** How often it is asked again while the page is seen, milliseconds; or by what was answered last. */
  readonly every?: number | ((answer: T | undefined) => number);
  /** False: it is not asked yet. */
  readonly when?: boolean;
  /** What was answered to the question before stays until the answer is there. */
  readonly keep?: boolean;
}

/** The answer to `GET path?query`. Its key begins with the path, so `queryClient.invalidateQueries({queryKey: [path]})` asks anew. */
export function useAnswer<T>(
  path: string,
  query: Query = {},
  options: AskOptions<T> = {},
): UseQueryResult<T> {
  const { every } = options;
  return useQuery<T>({
    queryKey: [path, query],
    queryFn: ({ signal }) => api.get<T>(path, query, signal),
    ...(every === undefined
      ? {}
      : { refetchInterval: typeof every === 'number' ? every : ({ state }) => every(state.data) }),
    ...(options.when === undefined ? {} : { enabled: options.when }),
    ...(options.keep === true ? { placeholderData: keepPreviousData } : {}),
  });
}

/** A list, a page after the other: `items` of all pages that were fetched. */
export function usePages<T>(
  path: string,
  query: Query = {},
  options: { readonly every?: number; readonly when?: boolean } = {},
) {
  const result = useInfiniteQuery({
    queryKey: [path, query, 'pages'],
    queryFn: ({ pageParam, signal }) => api.get<Page<T>>(path, { ...query, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    ...(options.every === undefined ? {} : { refetchInterval: options.every }),
    ...(options.when === undefined ? {} : { enabled: options.when }),
  });
  return { ...result, items: result.data?.pages.flatMap((page) => page.items) ?? null };
}

/** The event types and what their fields are called. */
export function useCatalogue(): CatalogueAnswer | null {
  const { data } = useQuery({
    queryKey: ['/catalogue'],
    queryFn: () => api.get<CatalogueAnswer>('/catalogue'),
    staleTime: 60_000,
  });
  return data ?? null;
}

/** Whatever begins with one of the paths is asked again: after something was done. */
export async function askAgain(...paths: readonly string[]): Promise<void> {
  await queryClient.invalidateQueries({
    predicate: ({ queryKey: [first] }) =>
      typeof first === 'string' && paths.some((path) => first === path || first.startsWith(`${path}/`)),
  });
}
