/** Times as sbatch takes them. */

/** Minutes of a time as sbatch takes it: minutes, minutes:seconds, hours:minutes:seconds, days-hours and so on. */
export function minutesOf(text: string): number | null {
  if (/^(?:UNLIMITED|INFINITE)$/i.test(text)) return Infinity;
  const found = /^(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$/.exec(text);
  if (!found) return null;
  const [days, ...parts] = found.slice(1).map((part) => part === undefined ? undefined : Number(part));
  const [first, second = 0, third] = parts as [number, number?, number?];
  if (days !== undefined) return (days * 24 + first) * 60 + second + (third ?? 0) / 60;
  return third === undefined ? first + second / 60 : first * 60 + second + third / 60;
}
