import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../../scripts/onnx-builder/graph-builder.ts';
import { MessageWriter } from '../../../scripts/onnx-builder/protobuf.ts';

const hex = (writer: MessageWriter): string => Buffer.from(writer.finish()).toString('hex');

// The expected bytes of the first two are the examples of the protobuf encoding guide.
describe('MessageWriter', () => {
  test('writes a varint', () => {
    expect(hex(new MessageWriter().int(1, 150))).toBe('089601');
  });

  test('writes a string', () => {
    expect(hex(new MessageWriter().text(2, 'testing'))).toBe('120774657374696e67');
  });

  test('writes a negative number as ten bytes', () => {
    expect(hex(new MessageWriter().int(1, -1))).toBe('08ffffffffffffffffff01');
  });

  test('writes a field number above 15 in two bytes and a float little-endian', () => {
    expect(hex(new MessageWriter().float(20, 1))).toBe('a5010000803f');
  });

  test('writes a message inside a message', () => {
    expect(hex(new MessageWriter().message(3, new MessageWriter().int(1, 150)))).toBe('1a03089601');
  });
});

describe('GraphBuilder', () => {
  test('stores equal constants once and different shapes apart', () => {
    const graph = new GraphBuilder('constants');
    expect(graph.floats([1, 2], [2])).toBe(graph.floats([1, 2], [2]));
    expect(graph.floats([1, 2], [2])).not.toBe(graph.floats([1, 2], [1, 2]));
  });

  test('refuses a constant that does not fill its shape', () => {
    expect(() => new GraphBuilder('constants').floats([1, 2, 3], [2])).toThrow('needs 2 values, got 3');
  });
});
