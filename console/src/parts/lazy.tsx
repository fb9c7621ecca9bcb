import { Skeleton } from '@mantine/core';
import { type ComponentProps, lazy, Suspense } from 'react';

const LateChart = lazy(() => import('./chart.js'));
const LateEditor = lazy(() => import('./editor.js'));

/** A chart that is fetched when one is seen. */
export function Chart(props: ComponentProps<typeof LateChart>) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 180} />}>
      <LateChart {...props} />
    </Suspense>
  );
}

/** An editor that is fetched when one is seen. */
export function Editor(props: ComponentProps<typeof LateEditor>) {
  return (
    <Suspense fallback={<Skeleton height={320} />}>
      <LateEditor {...props} />
    </Suspense>
  );
}
