/** Work on the next item while the last one's result is being used. */

/**
 * The result for each item, in order. While the caller uses one, the next is computed; no two are computed at a time, and
 * none is under way any more when the iteration ends, however it does.
 */
export async function* ahead<A, B>(
  items: Iterable<A> | AsyncIterable<A>,
  work: (item: A) => Promise<B>,
): AsyncGenerator<B> {
  let next: Promise<B> | undefined;
  try {
    for await (const item of items) {
      const last = next && { result: await next };
      next = work(item);
      next.catch(() => {}); // told when it is waited for
      if (last) yield last.result;
    }
    if (next) yield await next;
  } finally {
    await next?.catch(() => {});
  }
}
