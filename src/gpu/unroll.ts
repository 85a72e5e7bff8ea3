/** Writing loops over constants out, before a shader is compiled. */

const LOOP = /for \(var (\w+) = (\d+)u; \1 < (\w+); \1(?:\+\+| \+= (\d+)u)\) \{ \/\/ unrolled\n/;

/**
 * A shader with its loops marked `// unrolled` written out, a block with `const i = …;` for each round. Whether a driver's
 * compiler unrolls a loop is up to its own limits; where it does not, an array indexed in the loop stays in memory.
 *
 * A marked loop begins with `for (var i = 0u; i < END; i++) { // unrolled` on one line, or at another number, or `i += 4u`; END is
 * a number or a `const` of the shader.
 *
 * @throws RangeError when END is no constant of the shader, or a marked loop begins otherwise or is not closed
 */
export function unrolled(code: string): string {
  const match = LOOP.exec(code);
  if (!match) {
    const [other] = /^.*\/\/ unrolled$/m.exec(code) ?? [];
    if (other) throw new RangeError(`"${other.trim()}" is not a loop that can be unrolled.`);
    return code;
  }
  const [header, name, first, bound, step = "1"] = match;
  const start = match.index + header.length, close = closingBrace(code, start);
  const end = /^\d+u?$/.test(bound) ? parseInt(bound) : constantOf(code, bound);
  const body = code.slice(start, close), rounds: string[] = [];
  for (let i = Number(first); i < end; i += Number(step)) rounds.push(`{ const ${name} = ${i}u;\n${body}}\n`);
  return unrolled(code.slice(0, match.index) + rounds.join("") + code.slice(close + 1));
}

function constantOf(code: string, name: string): number {
  const match = new RegExp(`const ${name}: u32 = (\\d+);`).exec(code);
  if (!match) throw new RangeError(`The shader has no constant ${name} for a loop to end at.`);
  return Number(match[1]);
}

/** Where the block that is open at `from` is closed. */
function closingBrace(code: string, from: number): number {
  for (let at = from, depth = 1; at < code.length; at++) {
    if (code[at] === "{") depth++;
    else if (code[at] === "}" && --depth === 0) return at;
  }
  throw new RangeError("A loop of the shader has no end.");
}
