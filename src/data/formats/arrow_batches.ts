/** Record batches of an Arrow file as columns. */
import { damaged, follow, tableAt, vectorAt, whole } from "./arrow_check.ts";
import {
  type ArrowField,
  atLeast,
  decimals,
  type Decoded,
  floats,
  integers,
  offsets,
  rangeOf,
  runs,
  textOf,
  Type,
  unpack,
  viewedText,
  within,
} from "./arrow_values.ts";

/** Rows of a batch at most; more is damage. */
const MAX_VALUES = 2 ** 31;

/** Takes the fields of a batch one after the other, each with its nodes and buffers. */
export class BatchSource {
  /** Of the batch. */
  readonly rows: number;
  #view: DataView;
  #body: Uint8Array<ArrayBuffer>;
  #nodes: { first: number; count: number };
  #buffers: { first: number; count: number };
  #views: number[];
  #codec: number | null;
  #dictionaries: ReadonlyMap<number, Decoded>;
  #node = 0;
  #buffer = 0;

  constructor(
    view: DataView,
    at: number,
    body: Uint8Array<ArrayBuffer>,
    dictionaries: ReadonlyMap<number, Decoded>,
  ) {
    const batch = tableAt(view, at);
    this.#view = view;
    this.#body = body;
    this.#dictionaries = dictionaries;
    this.rows = batch(0) > 0 ? whole(view, batch(0)) : 0;
    this.#nodes = vectorAt(view, batch(1), 16);
    this.#buffers = vectorAt(view, batch(2), 16);
    const compression = batch(3) > 0 ? tableAt(view, follow(view, batch(3))) : null;
    this.#codec = compression && (compression(0) > 0 ? view.getInt8(compression(0)) : 0);
    const views = vectorAt(view, batch(4), 8);
    this.#views = Array.from({ length: views.count }, (_, i) => whole(view, views.first + 8 * i));
    if (!(this.rows >= 0)) throw damaged("batch");
  }

  /** Length and number of nulls of the next field. */
  #nextNode(): { length: number; nulls: number } {
    if (this.#node >= this.#nodes.count) throw damaged("batch");
    const at = this.#nodes.first + 16 * this.#node++;
    const length = whole(this.#view, at), nulls = whole(this.#view, at + 8);
    if (!(length >= 0 && length <= MAX_VALUES)) throw damaged("batch");
    return { length, nulls };
  }

  /** The next buffer, unpacked where it is used. */
  #nextBuffer(): () => Uint8Array<ArrayBuffer> {
    if (this.#buffer >= this.#buffers.count) throw damaged("batch");
    const at = this.#buffers.first + 16 * this.#buffer++;
    const from = whole(this.#view, at), length = whole(this.#view, at + 8);
    if (!(from >= 0 && length >= 0 && from + length <= this.#body.length)) throw damaged("batch");
    const packed = this.#body.subarray(from, from + length);
    return () => this.#codec === null || length === 0 ? packed : unpack(packed, this.#codec);
  }

  #nextValidity({ length, nulls }: { length: number; nulls: number }): (i: number) => boolean {
    const bits = this.#nextBuffer();
    if (nulls === 0) return () => false;
    const valid = bits();
    if (valid.length === 0) return () => false;
    if (valid.length * 8 < length) throw damaged("batch");
    return (i) => (valid[i >> 3] >> (i & 7) & 1) === 0;
  }

  /** The next field's values. */
  take(field: ArrowField): Decoded {
    if (field.dictionary) return this.#takeIndices(field.dictionary);
    const node = this.#nextNode(), { length } = node, { type, bits } = field;
    if (type === Type.Null) return { length, isNull: () => true };
    if (type === Type.RunEndEncoded) {
      const [ends, values] = field.children.map((child) => this.take(child));
      return runs(length, ends, values);
    }
    if (type === Type.Union) {
      for (let i = 0; i < (field.isDense ? 2 : 1); i++) this.#nextBuffer();
      for (const child of field.children) this.take(child);
      return { length, isNull: () => false };
    }
    const isNull = this.#nextValidity(node), own = { length, isNull };
    switch (type) {
      case Type.Int:
        return { ...own, number: integers(this.#nextBuffer()(), length, bits, field.isSigned) };
      case Type.Float: {
        const values = floats(this.#nextBuffer()(), length, bits), hasNulls = node.nulls !== 0;
        return {
          ...own,
          number: (i: number) => values[i],
          ...(!hasNulls && !(values instanceof Float16Array) && { plain: values }),
        };
      }
      case Type.Bool: {
        const set = atLeast(this.#nextBuffer()(), Math.ceil(length / 8));
        return { ...own, number: (i) => set[i >> 3] >> (i & 7) & 1 };
      }
      case Type.Decimal:
        return { ...own, number: decimals(this.#nextBuffer()(), length, bits, field.scale) };
      case Type.Utf8:
      case Type.LargeUtf8: {
        const ends = offsets(this.#nextBuffer()(), length, type === Type.LargeUtf8),
          data = this.#nextBuffer()();
        return { ...own, text: (i) => textOf(data, ...rangeOf(ends, i, data.length)) };
      }
      case Type.Utf8View:
      case Type.BinaryView: {
        const views = this.#nextBuffer(), count = this.#views.shift() ?? 0;
        if (count > this.#buffers.count) throw damaged("batch");
        const parts = Array.from({ length: count }, () => this.#nextBuffer());
        if (type === Type.BinaryView) return own;
        return { ...own, text: viewedText(atLeast(views(), 16 * length), parts.map((part) => part())) };
      }
      case Type.List:
      case Type.LargeList:
      case Type.Map: {
        const ends = offsets(this.#nextBuffer()(), length, type === Type.LargeList),
          child = this.take(field.children[0]);
        return { ...own, child, range: (i) => rangeOf(ends, i, child.length) };
      }
      case Type.ListView:
      case Type.LargeListView: {
        const isLarge = type === Type.LargeListView, size = isLarge ? 64 : 32;
        const [from, counts] = [this.#nextBuffer(), this.#nextBuffer()].map((some) =>
          integers(some(), length, size, true)
        );
        const child = this.take(field.children[0]);
        return { ...own, child, range: (i) => within(from(i), from(i) + counts(i), child.length) };
      }
      case Type.FixedSizeList: {
        const child = this.take(field.children[0]);
        if (child.length < length * bits) throw damaged("batch");
        return { ...own, child, range: (i) => [i * bits, (i + 1) * bits] };
      }
      case Type.Struct:
        for (const child of field.children) this.take(child);
        return own;
      case Type.Binary:
      case Type.LargeBinary:
        this.#nextBuffer();
        this.#nextBuffer();
        return own;
      default:
        this.#nextBuffer();
        return own;
    }
  }

  #takeIndices({ id, bits, isSigned }: NonNullable<ArrowField["dictionary"]>): Decoded {
    const node = this.#nextNode(), { length } = node, isEmpty = this.#nextValidity(node);
    const at = integers(this.#nextBuffer()(), length, bits, isSigned), values = this.#dictionaries.get(id);
    if (!values) {
      if (length > 0 && node.nulls < length) throw damaged("dictionary");
      return { length, isNull: () => true };
    }
    const inside = (i: number) => {
      const index = at(i);
      if (!(index >= 0 && index < values.length)) throw damaged("dictionary");
      return index;
    };
    const { number, text, range, child } = values;
    return {
      length,
      isNull: (i) => isEmpty(i) || values.isNull(inside(i)),
      ...(number && { number: (i: number) => number(inside(i)) }),
      ...(text && { text: (i: number) => text(inside(i)) }),
      ...(range && { child, range: (i: number) => range(inside(i)) }),
    };
  }
}
