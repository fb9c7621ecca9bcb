import { Skeleton } from '@mantine/core';
import { type ComponentProps, lazy, Suspense } from 'react';

const LateMerge = lazy(() => import('./merge.js'));

/** Two texts and what differs, fetched when it is seen. */
export function Merge(props: ComponentProps<typeof LateMerge>) {
  return (
    <Suspense fallback={<Skeleton height={240} />}>
      <LateMerge {...props} />
    </Suspense>
  );
}
