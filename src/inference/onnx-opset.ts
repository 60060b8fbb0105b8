/**
 * Version of the default operator set in the bytes of an ONNX file, null where it cannot be read.
 * ONNX Runtime does not tell it: this walks the top-level fields of `ModelProto` (onnx.proto: `opset_import` = 8,
 * in it `domain` = 1 and `version` = 2) and skips everything else.
 */
export function readOpset(bytes: Uint8Array): number | null {
  for (const field of fields(bytes)) {
    if (field.number !== 8 || !(field.value instanceof Uint8Array)) continue;
    let domain = '';
    let version: number | null = null;
    for (const inner of fields(field.value)) {
      if (inner.number === 1 && inner.value instanceof Uint8Array) domain = new TextDecoder().decode(inner.value);
      if (inner.number === 2 && typeof inner.value === 'number') version = inner.value;
    }
    if ((domain === '' || domain === 'ai.onnx') && version !== null) return version;
  }
  return null;
}

interface Field {
  readonly number: number;
  readonly value: number | Uint8Array;
}

/** Protobuf fields in order; ends early at the first byte that is not protobuf. */
function* fields(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (wire === 0) {
      yield { number, value: varint() };
    } else if (wire === 2) {
      const length = varint();
      if (!(at + length <= bytes.length)) return;
      yield { number, value: bytes.subarray(at, at + length) };
      at += length;
    } else if (wire === 1 || wire === 5) {
      at += wire === 1 ? 8 : 4;
    } else {
      return;
    }
  }
}
