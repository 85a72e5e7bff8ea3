/** Several jobs that wait for the device or a disk, side by side. */

/**
 * Does jobs 0 … count − 1, at most `lanes` at a time: while one waits for the device or a disk, the others go on.
 *
 * @returns the results, in the order of the jobs
 * @throws what the first job to fail has thrown, after the jobs begun have ended
 */
export async function mapConcurrently<T>(
  count: number,
  lanes: number,
  job: (index: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = new Array(count);
  let next = 0, failed = false;
  const lane = async () => {
    while (next < count && !failed) {
      const index = next++;
      try {
        results[index] = await job(index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(lanes, count) }, lane));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return results;
}
