import { describe, expect, test } from '@jest/globals';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { GraphBuilder, type ElementType } from '../../../src/graphs/onnx/graph-builder.ts';
import { parseOnnx, type OnnxModel, type OnnxNode } from '../../../src/graphs/onnx/onnx-model.ts';

const read = (builder: GraphBuilder): OnnxModel => parseOnnx(builder.toBytes(), builder.name);

async function run(builder: GraphBuilder, feeds: Record<string, Tensor>): Promise<Record<string, number[]>> {
  const session = await InferenceSession.create(builder.toBytes());
  const outputs = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as ArrayLike<number | bigint>, Number)]),
  );
}

const floats = (values: number[]): Tensor => new Tensor('float32', Float32Array.from(values), [values.length]);

/** y = (x + offset) * 2, with the weights a file would have. */
function doubling(offset: number, opset = 17): GraphBuilder {
  const graph = new GraphBuilder('doubling', { opset });
  const x = graph.input('x', 'float32', ['batch']);
  graph.output(graph.node('Mul', [graph.node('Add', [x, graph.scalar(offset)]), graph.scalar(2)]), 'y', 'float32', [
    'batch',
  ]);
  return graph;
}

describe('constants', () => {
  test('equal ones are stored once, different shapes and types apart', () => {
    const graph = new GraphBuilder('constants');
    expect(graph.floats([1, 2], [2])).toBe(graph.floats([1, 2], [2]));
    expect(graph.floats([1, 2], [2])).not.toBe(graph.floats([1, 2], [1, 2]));
    expect(graph.constant('uint8', [1, 0], [2])).not.toBe(graph.constant('bool', [1, 0], [2]));
  });

  test('one that does not fill its shape is refused', () => {
    expect(() => new GraphBuilder('constants').floats([1, 2, 3], [2])).toThrow('needs 2 values, got 3');
  });

  test.each<ElementType>(['float16', 'float32', 'float64', 'uint8', 'int32', 'int64', 'bool'])(
    'of type %s reach the runtime',
    async (dtype) => {
      const graph = new GraphBuilder('types');
      const x = graph.input('x', 'float32', [2]);
      const value = graph.cast(graph.constant(dtype, [1, 0], [2]), 'float32');
      graph.output(graph.node('Add', [x, value]), 'y', 'float32', [2]);
      expect(await run(graph, { x: floats([0.5, 0.25]) })).toEqual({ y: [1.5, 0.25] });
    },
  );
});

describe('an embedded model', () => {
  test('works on tensors of the graph around it, also twice', async () => {
    const graph = new GraphBuilder('two');
    const x = graph.input('x', 'float32', ['batch']);
    const first = graph.embed(read(doubling(1)), 'first', { x });
    const second = graph.embed(read(doubling(10)), 'second', { x: graph.node('Neg', [first['y']!]) });
    graph.output(second['y']!, 'z', 'float32', ['batch']);
    expect(await run(graph, { x: floats([0, 2]) })).toEqual({ z: [16, 8] });
  });

  test('shares its weights with an earlier copy, and no name with another model', async () => {
    const graph = new GraphBuilder('shared');
    const x = graph.input('x', 'float32', ['batch']);
    const model = read(doubling(1));
    const weightsPrefix = 'weights';
    const first = graph.embed(model, 'first', { x }, { weightsPrefix });
    const second = graph.embed(model, 'second', { x: first['y']! }, { weightsPrefix });
    graph.output(second['y']!, 'z', 'float32', ['batch']);
    expect(await run(graph, { x: floats([0, 2]) })).toEqual({ z: [6, 14] });
    const names = graph.toModel().graph.initializer!.map(({ name }) => name);
    expect(names).toEqual(model.graph.initializer!.map(({ name }) => `weights/${name}`));
    expect(() => graph.embed(read(doubling(1)), 'third', { x }, { weightsPrefix })).toThrow(
      'two models name their weights weights',
    );
  });

  test('keeps what its subgraphs take from around them and what they define themselves', async () => {
    const inner = new GraphBuilder('branches');
    const x = inner.input('x', 'float32', [1]);
    const offset = inner.scalar(5);
    const condition = inner.node('Greater', [x, inner.scalar(0)]);
    const branch = (op: string): OnnxModel['graph'] => ({
      name: op,
      // `shared` is defined in both branches and, in the graph around, means nothing.
      node: [
        { opType: op, input: [x, offset], output: ['shared'] },
        { opType: 'Neg', input: ['shared'], output: ['result'] },
      ],
      output: [{ name: 'result' }],
    });
    const model = read(inner);
    const node: OnnxNode = {
      opType: 'If',
      input: [condition],
      output: ['y'],
      attribute: [
        { name: 'then_branch', type: 5, g: branch('Add') },
        { name: 'else_branch', type: 5, g: branch('Sub') },
      ],
    };
    model.graph.node = [...(model.graph.node ?? []), node];
    model.graph.output = [{ name: 'y', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }] } } } }];
    const graph = new GraphBuilder('around');
    const given = graph.node('Mul', [graph.input('shared', 'float32', [1]), graph.scalar(10)]);
    graph.output(graph.embed(model, 'branches', { x: given })['y']!, 'out', 'float32', [1]);
    expect(await run(graph, { shared: floats([1]) })).toEqual({ out: [-15] });
    expect(await run(graph, { shared: floats([-1]) })).toEqual({ out: [15] });
  });

  test('may hand an input through', async () => {
    const inner = read(doubling(1));
    inner.graph.output = [{ name: 'x', type: { tensorType: { elemType: 1 } } }, ...(inner.graph.output ?? [])];
    const graph = new GraphBuilder('through');
    const x = graph.input('x', 'float32', ['batch']);
    expect(graph.embed(inner, 'inner', { x })['x']).toBe('x');
  });

  test('keeps external weights, looked for from the new folder', () => {
    const inner = read(doubling(1));
    const [weights] = inner.graph.initializer!;
    delete weights!.rawData;
    weights!.dataLocation = 1;
    weights!.externalData = [
      { key: 'location', value: 'model.onnx.data' },
      { key: 'offset', value: '64' },
    ];
    const graph = new GraphBuilder('external');
    graph.embed(inner, 'inner', { x: graph.input('x', 'float32', ['batch']) }, { dataFolder: 'raw/detector' });
    const moved = graph.toModel().graph.initializer?.find(({ name }) => name === `inner/${weights!.name}`);
    expect(moved?.externalData).toEqual([
      { key: 'location', value: 'raw/detector/model.onnx.data' },
      { key: 'offset', value: '64' },
    ]);
    expect(weights!.externalData[0]?.value).toBe('model.onnx.data');
  });

  test('brings its other operator sets, which must agree', () => {
    const withDomain = (version: number): OnnxModel => {
      const model = read(doubling(1));
      return { ...model, opsetImport: [...(model.opsetImport ?? []), { domain: 'com.microsoft', version }] };
    };
    const graph = new GraphBuilder('domains');
    const x = graph.input('x', 'float32', ['batch']);
    graph.embed(withDomain(1), 'first', { x });
    expect(graph.toModel().opsetImport).toEqual([
      { domain: '', version: 17 },
      { domain: 'com.microsoft', version: 1 },
    ]);
    expect(() => graph.embed(withDomain(2), 'second', { x })).toThrow(
      'second: opset of com.microsoft 2, expected 1 as in domains',
    );
  });

  test('is refused at another opset, with inputs that do not fit, with functions of its own', () => {
    const graph = new GraphBuilder('strict');
    const x = graph.input('x', 'float32', ['batch']);
    expect(() => graph.embed(read(doubling(1, 18)), 'newer', { x })).toThrow(
      'newer: opset 18, expected 17 as in strict',
    );
    expect(() => graph.embed(read(doubling(1)), 'other', { images: x })).toThrow(
      "other: the model's inputs are x, expected images",
    );
    const functions = { ...read(doubling(1)), functions: [{}] };
    expect(() => graph.embed(functions, 'functions', { x })).toThrow(/functions: .*inlined/);
    expect(() => new GraphBuilder('old', { opset: 12 })).toThrow('opset 12 is too old, expected 13 or newer');
  });
});
