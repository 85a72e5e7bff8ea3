import { assertEquals, assertThrows } from "@std/assert";
import { csvLine, parseCsvRows } from "../../../src/data/formats/csv.ts";
import { seededRandom } from "../../../src/linalg/random.ts";
import { testSeed } from "../../support/random.ts";

const parseCsv = (text: string, path: string) => parseCsvRows(text, path).rows;
const random = seededRandom(testSeed);

Deno.test("parseCsvRows() takes quotes, commas, empty cells and line ends of any kind", () => {
  assertEquals(parseCsv('\ufeffa,"b, ""c""\r\nd"\r\n1,\n\n,2', "a.csv"), [["a", 'b, "c"\r\nd'], ["1", ""], [
    "",
    "2",
  ]]);
  assertEquals(parseCsv("a,", "a.csv"), [["a", ""]]);
  assertEquals(parseCsv('""\n', "a.csv"), []);
  assertEquals(parseCsv("", "a.csv"), []);
});

Deno.test("parseCsvRows() names the line of a quote that is wrong", () => {
  assertThrows(
    () => parseCsv('a\nb\n"c', "a.csv"),
    Error,
    "a.csv: the quote opened in line 3 is never closed.",
  );
  assertThrows(
    () => parseCsv('a\n"b"x', "a.csv"),
    Error,
    'a.csv, line 2: a closing quote is followed by "x", expected a comma or the line\'s end.',
  );
});

Deno.test("parseCsvRows() gives back what csvLine() wrote, whatever the cells hold", () => {
  const characters = [...'ab,"\n\r =1é🧠'];
  const rows = Array.from({ length: 50 }, () => {
    const cell = () =>
      Array.from(
        { length: Math.floor(6 * random()) },
        () => characters[Math.floor(random() * characters.length)],
      )
        .join("");
    return ["first", cell(), cell()];
  });
  assertEquals(parseCsv(rows.map(csvLine).join(""), "a.csv"), rows);
  assertEquals(csvLine(["a", 0.5, null]), "a,0.5,\n");
});
