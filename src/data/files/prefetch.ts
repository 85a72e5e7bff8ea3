/** Work on the next item while the last one's result is being used. */

/**
 * The result for each item, in order. While the caller uses one, the next `most` are computed, one by default;
 * none is under way any more when the iteration ends, however it does.
 */
export async function* prefetch<A, B>(
  items: Iterable<A> | AsyncIterable<A>,
  work: (item: A) => Promise<B>,
  most = 1,
): AsyncGenerator<B> {
  const underWay: Promise<B>[] = [];
  try {
    for await (const item of items) {
      const last = underWay.length === most ? { result: await underWay.shift()! } : null;
      const next = work(item);
      next.catch(() => {}); // reported when it is waited for
      underWay.push(next);
      if (last) yield last.result;
    }
    while (underWay.length > 0) yield await underWay.shift()!;
  } finally {
    await Promise.allSettled(underWay);
  }
}
