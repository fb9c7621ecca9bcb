/** What `work` answers, or `otherwise` when that takes longer than `ms`; it goes on all the same. */
export async function within<T, Other>(work: Promise<T>, ms: number, otherwise: Other): Promise<T | Other> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Other>((resolve) => {
    timer = setTimeout(() => {
      resolve(otherwise);
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
