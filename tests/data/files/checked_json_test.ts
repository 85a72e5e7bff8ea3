import { assertEquals, assertThrows } from "@std/assert";
import * as v from "valibot";
import {
  listOf,
  objectOf,
  oneOf,
  parseJson,
  SHA256,
  TEXT,
  wholeNumber,
} from "../../../src/data/files/checked_json.ts";

const SHARD = objectOf({ path: TEXT, sha256: SHA256 }, "a shard");
const SCHEMA = objectOf({
  name: TEXT,
  kind: oneOf(["q", "k"]),
  layers: listOf(objectOf({ layer: wholeNumber(1), shards: listOf(SHARD, "a list of shards") }, "a layer")),
  note: v.optional(TEXT),
  more: v.optional(v.strictObject({ one: TEXT, two: TEXT }, "one and two")),
}, "a manifest");

Deno.test("parseJson() gives back what the text holds, further keys included", () => {
  const value = { name: "a", kind: "q", layers: [{ layer: 1, shards: [], of: 3 }], newer: [1] };
  assertEquals(parseJson(JSON.stringify(value), SCHEMA) as unknown, value);
  assertEquals(parseJson(`\ufeff${JSON.stringify(value)}`, SCHEMA) as unknown, value);
});

Deno.test("parseJson() names the field, what it is, and what was expected", () => {
  const whole = {
    name: "a",
    kind: "q",
    layers: [{ layer: 1, shards: [{ path: "b", sha256: "0".repeat(64) }] }],
  };
  const [layer] = whole.layers, [shard] = layer.shards;
  const cases: [unknown, string][] = [
    [null, "it is null, expected a manifest"],
    [[], "it is [], expected a manifest"],
    [{ ...whole, name: undefined }, '"name" is missing, expected a text'],
    [{ ...whole, name: "x", kind: "v" }, '"kind" is "v", expected "q" or "k"'],
    [{ ...whole, note: 3 }, '"note" is 3, expected a text'],
    [{ ...whole, layers: 3 }, '"layers" is 3, expected a list'],
    [
      { ...whole, layers: [{ layer: 0.5, shards: [] }] },
      '"layers.0.layer" is 0.5, expected a whole number from 1 on',
    ],
    [{ ...whole, layers: [layer, { layer: 2 }] }, '"layers.1.shards" is missing, expected a list of shards'],
    [
      { ...whole, layers: [{ ...layer, shards: [{ ...shard, sha256: "0" }] }] },
      '"layers.0.shards.0.sha256" is "0", expected a SHA-256',
    ],
    [{ ...whole, more: { one: "a", two: "b", tree: "c" } }, '"more.tree" is not known, expected one or two'],
    [{ ...whole, more: { one: "a" } }, '"more.two" is missing, expected a text'],
  ];
  for (const [value, message] of cases) {
    const error = assertThrows(() => parseJson(JSON.stringify(value), SCHEMA), Error);
    assertEquals(error.message, message);
  }
  assertThrows(() => parseJson("{", SCHEMA), Error, "it is not JSON: ");
  assertThrows(() => parseJson('{"name": 1e999}', SCHEMA), Error, '"name" is null, expected a text');
});
