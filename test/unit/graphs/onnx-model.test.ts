import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import Long from 'long';
import { encodeOnnx, importedOpset, parseOnnx, readOnnx, toNumber } from '../../../src/graphs/onnx/onnx-model.ts';
import { GraphBuilder } from '../../../src/graphs/onnx/graph-builder.ts';

describe('ONNX files', () => {
  test('a file that is read, written and read again is the same model', async () => {
    const bytes = await readFile('models/demo/decoder_model_merged.onnx');
    const model = parseOnnx(bytes, 'decoder');
    const again = parseOnnx(encodeOnnx(model), 'again');
    expect(again).toEqual(model);
    expect(model.graph.node?.length).toBeGreaterThan(20);
  });

  test('tells operators, attributes, constants and the opset', () => {
    const graph = new GraphBuilder('small');
    const input = graph.input('x', 'float32', ['batch', 4]);
    const kept = graph.node('Slice', [input, graph.ints([0]), graph.ints([Number.MAX_SAFE_INTEGER]), graph.ints([1])]);
    graph.output(graph.node('Softmax', [kept], { axis: -1 }), 'y', 'float32', ['batch', 4]);
    const model = parseOnnx(graph.toBytes({ names: 'a' }), 'small');
    expect(model.graph.node?.map((node) => node.opType)).toEqual(['Slice', 'Softmax', 'Identity']);
    const axis = model.graph.node?.[1]?.attribute?.[0];
    expect([axis?.name, toNumber(axis?.i ?? 0)]).toEqual(['axis', -1]);
    expect(model.graph.input?.[0]?.type?.tensorType?.shape?.dim?.[0]?.dimParam).toBe('batch');
    expect([importedOpset(model, ''), importedOpset(model, 'ai.onnx'), importedOpset(model, 'com.microsoft')]).toEqual([
      17,
      17,
      null,
    ]);
    expect(model.metadataProps).toEqual([{ key: 'names', value: 'a' }]);
  });

  test('integers beyond 2^53 keep every bit', () => {
    const graph = new GraphBuilder('wide');
    const input = graph.input('x', 'float32', ['batch']);
    graph.output(graph.node('Identity', [input]), 'y', 'float32', ['batch']);
    const model = parseOnnx(graph.toBytes(), 'wide');
    const largest = Long.fromString('9223372036854775807');
    const first = { ...model.graph.node![0]!, attribute: [{ name: 'ends', type: 7, ints: [largest, -1] }] };
    const bytes = encodeOnnx({ ...model, graph: { ...model.graph, node: [first] } });
    const ints = parseOnnx(bytes, 'wide').graph.node?.[0]?.attribute?.[0]?.ints ?? [];
    expect(ints.map(String)).toEqual(['9223372036854775807', '-1']);
  });

  test('a cut-off file and a file of another kind are refused by name', async () => {
    const bytes = await readFile('models/demo/detector.onnx');
    expect(() => parseOnnx(bytes.subarray(0, bytes.length / 2), 'models/half.onnx')).toThrow(/models\/half\.onnx/);
    expect(() => parseOnnx(new TextEncoder().encode('version https://git-lfs'), 'pointer.onnx')).toThrow(
      /pointer\.onnx/,
    );
    expect(() => parseOnnx(new Uint8Array(), 'empty.onnx')).toThrow(/empty\.onnx/);
    await expect(readOnnx('models/absent.onnx')).rejects.toMatchObject({ code: 'PACK_BROKEN' });
  });
});
