import { useMediaQuery } from '@mantine/hooks';

/** Whether the window is at most so wide: from the first look at it on, so that nothing jumps. */
export function useNarrow(width = '48em'): boolean {
  return useMediaQuery(`(max-width: ${width})`, undefined, { getInitialValueInEffect: false });
}
