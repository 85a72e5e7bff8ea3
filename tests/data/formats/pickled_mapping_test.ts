import { assertEquals, assertThrows } from "@std/assert";
import { encodeNpyHeader } from "../../../src/data/formats/npy.ts";
import { encodePickledMapping, parsePickledMapping } from "../../../src/data/formats/pickled_mapping.ts";

const NUMPY_2 = [
  "800495a3000000000000008c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e73",
  "74727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b012968",
  "038c0564747970659493948c024f3894898887945294284b038c017c944e4e4e4affffffff4affffffff4b3f74",
  "9462895d947d94284b008c07556e6b6e6f776e944b078c03563176944d2c01681475617494622e",
].join("");

/** The same of {numpy.int64(0): numpy.str_("Unknown"), numpy.int64(-7): numpy.str_("V1ä")}, as numpy.unique gives keys. */
const NUMPY_SCALARS = [
  "80049555010000000000008c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f6e73",
  "74727563749493948c056e756d7079948c076e6461727261799493944b0085944301629487945294284b012968",
  "038c0564747970659493948c024f3894898887945294284b038c017c944e4e4e4affffffff4affffffff4b3f74",
  "9462895d947d942868008c067363616c6172949394680b8c02693894898887945294284b038c013c944e4e4e4a",
  "ffffffff4affffffff4b007494624308000000000000000094869452946814680b8c0255379489888794529428",
  "4b0368184e4e4e4b1c4b044b08749462431c550000006e0000006b0000006e0000006f000000770000006e0000",
  "009486945294681468174308f9ffffffffffffff94869452946814680b8c02553394898887945294284b036818",
  "4e4e4e4b0c4b044b08749462430c5600000031000000e4000000948694529475617494622e",
].join("");

Deno.test("parsePickledMapping reads what NumPy writes and what encodePickledMapping writes", () => {
  const header = encodeNpyHeader("|O", []);
  const pickle = Uint8Array.fromHex(NUMPY_2);
  const file = Uint8Array.of(...header, ...pickle);
  const mapping = new Map([[0, "Unknown"], [7, "V1v"], [300, "V1v"]]);
  assertEquals(parsePickledMapping(file, "a.npy"), mapping);
  const scalars = Uint8Array.of(...header, ...Uint8Array.fromHex(NUMPY_SCALARS));
  assertEquals(parsePickledMapping(scalars, "a.npy"), new Map([[0, "Unknown"], [-7, "V1ä"]]));
  for (const names of [["Unknown"], ["Unknown", "V1v", "vœu 語"]]) {
    const written = new Map(names.map((name, i) => [i, name]));
    assertEquals(parsePickledMapping(Uint8Array.from(encodePickledMapping(written)), "a.npy"), written);
  }
});

Deno.test("parsePickledMapping follows no call and says what is wrong", () => {
  const header = encodeNpyHeader("|O", []);
  const refuses = (pickle: string | Uint8Array, sentence: string) => {
    const bytes = typeof pickle === "string" ? new TextEncoder().encode(pickle) : pickle;
    assertThrows(() => parsePickledMapping(Uint8Array.of(...header, ...bytes), "a.npy"), Error, sentence);
  };
  refuses("cos\nsystem\n(S'true'\ntR.", "the pickle has the instruction 0x53, which is not followed");
  refuses("cos\nsystem\n)R.", "the pickle is something else");
  refuses("}.", "the pickle is something else");
  refuses("u.", "takes more than it has put");
  refuses("h\x07.", "recalls entry 7");
  refuses(Uint8Array.of(0x42, 0xff, 0xff, 0xff, 0xff), "the pickle is cut short");
  // Tuples of the same tuple twice, 40 deep, as the name of ROI 1, and as the name of what is called.
  const nest = [
    0x4b,
    1,
    0x71,
    0,
    ...Array.from({ length: 40 }, (_, i) => [0x68, i, 0x86, 0x71, i + 1]).flat(),
  ];
  refuses(Uint8Array.of(...nest, 0x68, 40, 0x93, 0x2e), "the pickle is something else");
  const whole = encodePickledMapping(new Map([[0, "Unknown"], [1, "V1v"]]));
  for (let length = header.length; length < whole.length; length++) {
    assertThrows(
      () => parsePickledMapping(Uint8Array.from(whole.subarray(0, length)), "a.npy"),
      Error,
      "a.npy",
    );
  }
  const numbers = encodeNpyHeader("<f4", [1]);
  assertThrows(() => parsePickledMapping(Uint8Array.of(...numbers, 0, 0, 0, 0), "a.npy"), Error, "type <f4");
});
