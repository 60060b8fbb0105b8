import { describe, expect, test } from '@jest/globals';
import { ELEMENT_TYPES } from '../../../../src/graphs/onnx/onnx-model.ts';
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
} from '../../../../src/graphs/onnx/onnx-model.ts';
import { placeNodes } from '../../../../src/graphs/placement/place-nodes.ts';

type ElementTypeName = (typeof ELEMENT_TYPES)[number];
const number = (type: ElementTypeName): number => ELEMENT_TYPES.indexOf(type);
const value = (name: string, type: ElementTypeName): OnnxValueInfo => ({
  name,
  type: { tensorType: { elemType: number(type) } },
});
const constant = (name: string, type: ElementTypeName, ...dims: number[]): OnnxTensor => ({
  name,
  dims,
  dataType: number(type),
});
const node = (
  opType: string,
  input: string[],
  output: string | string[],
  attribute: OnnxAttribute[] = [],
): OnnxNode => ({
  opType,
  input,
  output: [output].flat(),
  attribute,
});

interface Parts {
  readonly nodes: OnnxNode[];
  readonly inputs?: OnnxValueInfo[];
  readonly constants?: OnnxTensor[];
}

const graphOf = ({ nodes, inputs = [value('x', 'float')], constants = [] }: Parts): OnnxGraph => ({
  node: nodes,
  input: inputs,
  initializer: constants,
  output: [],
});

const modelOf = (parts: Parts, opset = 17): OnnxModel => ({
  graph: graphOf(parts),
  opsetImport: [{ domain: '', version: opset }],
});

const places = (parts: Parts, opset = 17): Readonly<Record<string, string>> =>
  Object.fromEntries(placeNodes(modelOf(parts, opset)).map((placed) => [placed.node, placed.place]));
const reasonOf = (parts: Parts, name: string, opset = 17): string | undefined =>
  placeNodes(modelOf(parts, opset)).find((placed) => placed.node === name)?.reason;

describe('types run through the graph', () => {
  test('from inputs, through casts and comparisons, to the node that needs them', () => {
    const nodes = [
      node('Cast', ['x'], 'half', [{ name: 'to', i: number('float16') }]),
      node('Greater', ['half', 'limit'], 'mask'),
      node('Where', ['mask', 'half', 'limit'], 'kept'),
      node('Where', ['mask', 'mask', 'mask'], 'both'),
      node('ArgMax', ['kept'], 'best'),
      node('Clip', ['best'], 'clipped'),
      node('Cast', ['clipped'], 'small', [{ name: 'to', i: number('int32') }]),
      node('Clip', ['small'], 'out'),
    ];
    const parts = { nodes, inputs: [value('x', 'uint8')], constants: [constant('limit', 'float16')] };
    expect(places(parts)).toEqual({
      half: 'cuda',
      mask: 'cuda',
      kept: 'cuda',
      both: 'cpu',
      best: 'cuda',
      clipped: 'cuda',
      small: 'cuda',
      out: 'cpu',
    });
    expect(reasonOf(parts, 'both')).toMatch(/not for bool$/);
    expect(reasonOf(parts, 'out')).toMatch(/not for int32$/);
  });

  test('each output of a node has its own type', () => {
    const nodes = [
      node('TopK', ['x', 'k'], ['values', 'indices']),
      node('ArgMax', ['values'], 'fine'),
      node('ArgMax', ['indices'], 'not'),
    ];
    const parts = { nodes, constants: [constant('k', 'int64', 1)] };
    expect(places(parts)).toMatchObject({ values: 'cuda', fine: 'cuda', not: 'cpu' });
  });

  test('a type that nobody states is said to be unknown, not guessed', () => {
    const parts = { nodes: [node('Add', ['x', 'x'], 'sum')], inputs: [{ name: 'x' }] };
    expect(places(parts)).toEqual({ sum: 'unknown' });
    expect(reasonOf(parts, 'sum')).toBe('the element type T is not known');
  });
});

describe('shapes', () => {
  const shapes = [
    node('Shape', ['x'], 'shape'),
    node('Gather', ['shape', 'zero'], 'rows'),
    node('Mul', ['rows', 'two'], 'double'),
    node('Concat', ['double', 'rest'], 'target'),
    node('Reshape', ['x', 'target'], 'y'),
  ];
  const constants = [constant('zero', 'int64', 1), constant('two', 'int64', 1), constant('rest', 'int64', 1)];

  test('what only computes shapes runs on the CPU on purpose, what uses them does not', () => {
    expect(places({ nodes: shapes, constants })).toEqual({
      shape: 'cuda',
      rows: 'shape',
      double: 'shape',
      target: 'shape',
      y: 'cuda',
    });
  });

  test('an operator without a kernel is fine there and nowhere else', () => {
    const nodes = [
      node('Shape', ['x'], 'shape'),
      node('ReduceProd', ['shape'], 'count'),
      node('BitShift', ['u', 'u'], 'v'),
    ];
    const parts = { nodes, inputs: [value('x', 'float'), value('u', 'uint8')] };
    expect(places(parts)).toEqual({ shape: 'cuda', count: 'shape', v: 'cpu' });
  });

  test('a large constant or a tensor of the GPU keeps a node on the GPU', () => {
    const nodes = [
      node('Shape', ['x'], 'shape'),
      node('Mul', ['shape', 'large'], 'wide'),
      node('Cast', ['x'], 'whole', [{ name: 'to', i: number('int64') }]),
      node('Mul', ['shape', 'whole'], 'mixed'),
    ];
    expect(places({ nodes, constants: [constant('large', 'int64', 101)] })).toMatchObject({
      wide: 'cuda',
      mixed: 'cuda',
    });
  });

  test('half precision is never sent to the CPU for a shape', () => {
    const nodes = [
      node('Shape', ['x'], 'shape'),
      node('Cast', ['shape'], 'half', [{ name: 'to', i: number('float16') }]),
      node('Sqrt', ['half'], 'root'),
    ];
    expect(places({ nodes })).toEqual({ shape: 'cuda', half: 'shape', root: 'cuda' });
  });

  test('a node without a kernel that reads a shape pulls what follows it onto the CPU, which is told', () => {
    const nodes = [
      node('Shape', ['x'], 'shape'),
      node('Hardmax', ['x'], 'hard'),
      node('Gather', ['hard', 'zero'], 'taken'),
      node('BitShift', ['shape', 'taken'], 'odd'),
      node('Add', ['odd', 'zero'], 'after'),
    ];
    const parts = { nodes, constants };
    expect(places(parts)).toMatchObject({ hard: 'cpu', taken: 'cuda', odd: 'cpu', after: 'cpu' });
    expect(reasonOf(parts, 'after')).toBe('follows odd, which runs on the CPU');
  });
});

describe('nodes that are gone or replaced', () => {
  test('constants and what depends on them only', () => {
    const nodes = [
      node('Constant', [], 'one', [{ name: 'value', t: constant('', 'float', 1) }]),
      node('Hardmax', ['one'], 'folded'),
      node('Mul', ['x', 'folded'], 'y'),
    ];
    expect(places({ nodes })).toEqual({ one: 'folded', folded: 'folded', y: 'cuda' });
  });

  test('a function is judged by the operators of its body', () => {
    expect(places({ nodes: [node('Mish', ['x'], 'y')] }, 18)).toEqual({ y: 'cuda' });
    const like = { nodes: [node('CastLike', ['x', 'u'], 'y'), node('Clip', ['y'], 'z')] };
    const inputs = [value('x', 'float'), value('u', 'int32')];
    expect(places({ ...like, inputs })).toEqual({ y: 'cuda', z: 'cpu' });
    expect(places({ ...like, inputs: [inputs[0]!, value('u', 'string')] })).toMatchObject({ y: 'cpu' });
    const parts = { nodes: [node('CenterCropPad', ['x', 'shape'], 'y')], inputs: [value('x', 'uint8')] };
    expect(places(parts, 18)).toEqual({ y: 'cpu' });
    expect(reasonOf(parts, 'y', 18)).toMatch(/^Pad of its function body: .*not for uint8$/);
  });

  test('a function that the model brings along is not looked into', () => {
    const model = { ...modelOf({ nodes: [{ ...node('Own', ['x'], 'y'), domain: 'mine' }] }), functions: [{}] };
    expect(placeNodes(model)).toEqual([
      { node: 'y', op: 'mine:Own', place: 'unknown', reason: 'a function of the model itself is not looked into' },
    ]);
  });
});

test('inner graphs are placed too, with the types around them, and give theirs to the outer node', () => {
  const branch = (op: string): OnnxGraph => ({
    ...graphOf({ nodes: [node(op, ['x'], 'inner')], inputs: [] }),
    output: [value('inner', 'float')],
  });
  const attributes = [
    { name: 'then_branch', g: branch('Relu') },
    { name: 'else_branch', g: branch('Hardmax') },
  ];
  const nodes = [{ ...node('If', ['flag'], 'y', attributes), name: 'choice' }, node('Relu', ['y'], 'z')];
  const parts = { nodes, inputs: [value('x', 'float'), value('flag', 'bool')] };
  expect(placeNodes(modelOf(parts)).map((placed) => [placed.node, placed.op, placed.place])).toEqual([
    ['choice/inner', 'Relu', 'cuda'],
    ['choice/inner', 'Hardmax', 'cpu'],
    ['choice', 'If', 'cuda'],
    ['z', 'Relu', 'cuda'],
  ]);
});
