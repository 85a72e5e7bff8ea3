import {
  assert,
  assertAlmostEquals,
  assertEquals,
  AssertionError,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { parseArgs as fromMod } from "@std/cli";

/** Every failing call must throw AssertionError, and nothing else. */
function mustFail(calls: Record<string, () => unknown>): void {
  for (const [name, call] of Object.entries(calls)) {
    try {
      call();
    } catch (error) {
      if (error instanceof AssertionError) continue;
      throw new Error(`${name} threw ${error} and not an AssertionError`);
    }
    throw new Error(`${name} did not throw`);
  }
}

Deno.test("assertEquals() compares classes, keys and elements, and takes 0 for -0 and NaN for NaN", () => {
  assertEquals({ a: [0, NaN], b: new Float32Array([1, -0]) }, { b: new Float32Array([1, 0]), a: [-0, NaN] });
  assertEquals(new Map([["a", { x: 1 }]]), new Map([["a", { x: 1 }]]));
  const loop: { self?: unknown } = {};
  loop.self = loop;
  const other: { self?: unknown } = {};
  other.self = other;
  assertEquals(loop, other);
  mustFail({
    "an undefined key": () => assertEquals<unknown>({ a: undefined }, {}),
    "another key": () => assertEquals<unknown>({ a: undefined }, { b: undefined }),
    "another class": () => assertEquals<unknown>(new Float32Array([1]), [1]),
    "another element": () => assertEquals(new Float32Array([1, 2]), new Float32Array([1, 3])),
    "a longer array": () => assertEquals([1, 2], [1, 2, 3]),
    "a Set": () => assertEquals(new Set([1]), new Set([2])),
    "a Date": () => assertEquals(new Date(0), new Date(1)),
    "NaN and 0": () => assertEquals(NaN, 0),
    "null and {}": () => assertEquals<unknown>(null, {}),
  });
});

Deno.test("assertAlmostEquals() fails on NaN and outside its tolerance", () => {
  assertAlmostEquals(1, 1.1, 0.11);
  assertAlmostEquals(1e9, 1e9 + 50);
  assertAlmostEquals(Infinity, Infinity);
  mustFail({
    "NaN found": () => assertAlmostEquals(NaN, 1, 1e9),
    "NaN expected": () => assertAlmostEquals(1, NaN, 1e9),
    "outside": () => assertAlmostEquals(1, 1.2, 0.1),
    "outside the default": () => assertAlmostEquals(1, 1.001),
  });
});

Deno.test("assertThrows() and assertRejects() look at the class and the message, and return the error", async () => {
  const raise = () => {
    throw new RangeError("rows: 3, wanted 4");
  };
  assertEquals(assertThrows(raise, RangeError, "wanted 4").message, "rows: 3, wanted 4");
  assertThrows(raise, Error);
  assertThrows(raise);
  mustFail({
    "no throw": () => assertThrows(() => 1),
    "another class": () => assertThrows(raise, TypeError),
    "another message": () => assertThrows(raise, RangeError, "wanted 5"),
  });
  assert(await assertRejects(() => Promise.reject(new TypeError("x")), TypeError, "x") instanceof TypeError);
  await assertRejects(
    () => assertRejects(() => Promise.resolve()),
    AssertionError,
    "Expected function to reject",
  );
  await assertRejects(
    () => assertRejects(raise as () => Promise<void>),
    AssertionError,
    "threw when expected",
  );
  await assertRejects(
    () => assertRejects(() => Promise.reject(new TypeError("x")), TypeError, "y"),
    AssertionError,
  );
});

Deno.test("the other assertions pass on what they say and fail on its opposite", () => {
  assert(1);
  assertNotEquals(1, 2);
  assertStringIncludes("abc", "b");
  assertMatch("abc", /b/);
  mustFail({
    assert: () => assert(0, "zero"),
    assertNotEquals: () => assertNotEquals([1], [1]),
    assertStringIncludes: () => assertStringIncludes("abc", "d"),
    assertMatch: () => assertMatch("abc", /d/),
  });
});

Deno.test("assertEquals() shows all of what is short, and in a line where what is long differs first", () => {
  const said = (actual: unknown, expected: unknown) =>
    assertThrows(() => assertEquals(actual, expected, "note"), AssertionError).message;
  assert(/^Values are not equal: note\n[^]*\+ {3}3\n- {3}4/.test(said([1, 2, 3], [1, 2, 4])));
  const bytes = new Uint8Array(50_000), text = "x".repeat(9000);
  const long: [unknown, unknown, string][] = [
    [{ "a/b": [bytes] }, { "a/b": [bytes.with(400, 1)] }, '["a/b"][0][400]: 0, expected 1'],
    [{ text, c: 1 }, { text }, ".c: 1, expected Symbol('no such key')"],
    [bytes, bytes.subarray(1), ".length: 50000, expected 49999"],
    [`${text}yz`, text, `character 9000: '${text.slice(0, 20)}yz', expected '${text.slice(0, 20)}'`],
    [new Float32Array(9000), new Float64Array(9000), "the top: Float32Array(9000) ["],
  ];
  for (const [actual, expected, where] of long) {
    const message = said(actual, expected);
    assertStringIncludes(message, `\nfirst at ${where}`);
    assert(message.length < 1000);
  }
});

Deno.test("parseArgs() reads flags, values, numbers and positional arguments", () => {
  assertEquals<unknown>(parseArgs(["moo", "--out", "here", "--n=5", "-c", "7", "-x", "-", "--last"]), {
    _: ["moo"],
    out: "here",
    n: 5,
    c: 7,
    x: "-",
    last: true,
  });
  assertEquals<unknown>(parseArgs(["--f=a=b", "--hex", "0xff", "1e3", "10f", "--", "--b"]), {
    _: [1000, "10f", "--b"],
    f: "a=b",
    hex: 255,
  });
});

Deno.test("parseArgs() takes no value for boolean flags, which default to false, and keeps strings", () => {
  const flags = fromMod(["--quick", "a", "--verbose", "false", "--loud=true", "--seed", "007", "--empty"], {
    boolean: ["quick", "verbose", "loud", "absent"],
    string: ["seed", "none", "empty", "_"],
  });
  const seed: string | undefined = flags.seed, quick: boolean = flags.quick, rest: string[] = flags._;
  assertEquals([seed, quick, rest], ["007", true, ["a"]]);
  assertEquals<unknown>(flags, {
    _: ["a"],
    quick: true,
    verbose: false,
    loud: true,
    absent: false,
    seed: "007",
    empty: "",
  });
  assertEquals(parseArgs(["--toString"]).toString as unknown, true);
});
