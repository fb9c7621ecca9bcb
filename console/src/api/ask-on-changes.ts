import { useEffect, useRef } from 'react';
import { askAgain } from './queries.js';
import { useChanges } from './stream.js';
import type { Topic } from './types.js';

/** However much happens, lists are not asked again sooner than this. */
const LEAST_MS = 2000;

/**
 * While the component is there, whatever begins with one of the paths is asked again after something of the topic
 * happened: at most once in two seconds, and once more after the last change.
 */
export function useAskOnChanges(topic: Topic, ...paths: readonly string[]): void {
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const askedAt = useRef(0);
  useChanges(topic, () => {
    if (waiting.current !== undefined) return;
    waiting.current = setTimeout(
      () => {
        waiting.current = undefined;
        askedAt.current = Date.now();
        void askAgain(...paths);
      },
      Math.max(0, askedAt.current + LEAST_MS - Date.now()),
    );
  });
  useEffect(
    () => () => {
      clearTimeout(waiting.current);
    },
    [],
  );
}
