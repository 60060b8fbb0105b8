import { open } from 'node:fs/promises';

/** Fields of `ModelProto` and `OperatorSetIdProto` in onnx.proto. */
const OPSET_IMPORT = 8;
const DOMAIN = 1;
const VERSION = 2;
/** Two 64-bit varints: a field's key and its length. */
const HEADER_BYTES = 20;

/**
 * Version of the default operator set of an ONNX file, null where it cannot be read. ONNX Runtime does not tell it: this
 * walks the top-level protobuf fields and skips the graph, so that a file of gigabytes costs a few small reads.
 */
export async function readOpset(path: string): Promise<number | null> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let at = 0;
    while (at < size) {
      const header = new Uint8Array(HEADER_BYTES);
      const { bytesRead } = await file.read(header, 0, HEADER_BYTES, at);
      const field = readHeader(header.subarray(0, bytesRead));
      if (field === null) return null;
      const start = at + field.headerBytes;
      at = start + field.payloadBytes;
      if (at > size) return null;
      if (field.number !== OPSET_IMPORT) continue;
      const payload = new Uint8Array(field.payloadBytes);
      await file.read(payload, 0, payload.length, start);
      const version = defaultVersion(payload);
      if (version !== null) return version;
    }
    return null;
  } finally {
    await file.close();
  }
}

/** The version in an opset import of the domain '' (or its other name), null for another domain. */
function defaultVersion(bytes: Uint8Array): number | null {
  let domain = '';
  let version: number | null = null;
  for (let at = 0; at < bytes.length;) {
    const field = readHeader(bytes.subarray(at));
    if (field === null) return null;
    const payload = bytes.subarray(at + field.headerBytes, at + field.headerBytes + field.payloadBytes);
    if (field.number === DOMAIN) domain = new TextDecoder().decode(payload);
    if (field.number === VERSION) version = field.value;
    at += field.headerBytes + field.payloadBytes;
  }
  return domain === '' || domain === 'ai.onnx' ? version : null;
}

interface FieldHeader {
  readonly number: number;
  /** Bytes of the key, and of the value or length that follows it. */
  readonly headerBytes: number;
  readonly payloadBytes: number;
  /** Of a varint field. */
  readonly value: number;
}

/** Null where the bytes are not the start of a protobuf field. */
function readHeader(bytes: Uint8Array): FieldHeader | null {
  const key = readVarint(bytes, 0);
  if (key === null) return null;
  const number = Math.floor(key.value / 8);
  const wire = key.value % 8;
  if (wire === 1 || wire === 5) {
    return { number, headerBytes: key.end, payloadBytes: wire === 1 ? 8 : 4, value: 0 };
  }
  const value = readVarint(bytes, key.end);
  if (value === null || (wire !== 0 && wire !== 2)) return null;
  return { number, headerBytes: value.end, payloadBytes: wire === 2 ? value.value : 0, value: value.value };
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  let factor = 1;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at + 1 };
    factor *= 128;
  }
  return null;
}
