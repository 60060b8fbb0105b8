import { ELEMENT_TYPES, toNumber } from '../onnx/onnx-model.ts';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor, OnnxValueInfo } from '../onnx/onnx-model.ts';
import { parameterAt } from './operator-schemas.ts';
import type { OperatorSchema, Parameter } from './operator-schemas.ts';

/** Names of the element types after those of ELEMENT_TYPES, in the order of onnx.proto. */
const NEWER_TYPES = ['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'uint4', 'int4', 'float4e2m1'];

/** Element type by the name of the tensor; null where it is not known. */
export type TypesByName = Map<string, string | null>;

function elementTypeName(number: number | undefined): string | null {
  if (number === undefined || number === 0) return null;
  return ELEMENT_TYPES[number] ?? NEWER_TYPES[number - ELEMENT_TYPES.length] ?? null;
}

/** What the graph itself says: inputs, initializers, outputs and the tensors that it describes. */
export function declaredTypes(graph: OnnxGraph): TypesByName {
  const types: TypesByName = new Map();
  const described: readonly OnnxValueInfo[] = [
    ...(graph.valueInfo ?? []),
    ...(graph.input ?? []),
    ...(graph.output ?? []),
  ];
  for (const { name, type } of described) {
    const found = elementTypeName(type?.tensorType?.elemType);
    if (found !== null) types.set(name, found);
  }
  for (const { name, dataType } of graph.initializer ?? []) {
    if (name !== undefined) types.set(name, elementTypeName(dataType));
  }
  return types;
}

/** The types that a node gives to its schema's variables, from inputs and, where they are known, outputs. */
export function bindTypes(node: OnnxNode, schema: OperatorSchema, types: TypesByName): Map<string, (string | null)[]> {
  const bindings = new Map<string, (string | null)[]>();
  const bind = (names: readonly string[], parameters: readonly Parameter[]): void => {
    names.forEach((name, index) => {
      const variable = parameterAt(parameters, index)?.variable ?? null;
      if (name === '' || variable === null) return;
      bindings.set(variable, [...(bindings.get(variable) ?? []), types.get(name) ?? null]);
    });
  };
  bind(node.input ?? [], schema.inputs);
  bind(node.output ?? [], schema.outputs);
  return bindings;
}

/** Element types of a node's outputs: from an attribute, from the schema, or from an input of the same type variable. */
export function outputTypes(node: OnnxNode, schema: OperatorSchema, types: TypesByName): readonly (string | null)[] {
  const chosen = chosenType(node, types);
  const bound = new Map<string, string>();
  (node.input ?? []).forEach((name, index) => {
    const variable = parameterAt(schema.inputs, index)?.variable ?? null;
    const type = types.get(name) ?? null;
    if (variable !== null && type !== null && !bound.has(variable)) bound.set(variable, type);
  });
  return (node.output ?? []).map((_, index) => {
    const parameter = parameterAt(schema.outputs, index);
    if (index === 0 && chosen !== undefined) return chosen;
    if (parameter === null) return null;
    return parameter.type ?? bound.get(parameter.variable ?? '') ?? null;
  });
}

/** What an operator that chooses its first output's type can look at. */
interface Choice {
  readonly attribute: (name: string) => OnnxAttribute | undefined;
  /** Element type that an attribute names by its number. */
  readonly named: (name: string) => string | null;
  readonly input: (index: number) => string | null;
}

type Chooser = (choice: Choice) => string | null;

const target: Chooser = ({ named }) => named('to');
const likeInput: Chooser = ({ named, input }) => named('dtype') ?? input(0);
const orFloat: Chooser = ({ named }) => named('dtype') ?? 'float';
const windowed: Chooser = ({ named }) => named('output_datatype') ?? 'float';

/** Operators that take their first output's type from an attribute or from a certain input. */
const CHOOSERS: Readonly<Record<string, Chooser>> = {
  Cast: target,
  BitCast: target,
  CastLike: ({ input }) => input(1),
  ConstantOfShape: ({ attribute }) => tensorType(attribute('value')?.t) ?? 'float',
  EyeLike: likeInput,
  Bernoulli: likeInput,
  RandomNormalLike: likeInput,
  RandomUniformLike: likeInput,
  RandomNormal: orFloat,
  RandomUniform: orFloat,
  Multinomial: ({ named }) => named('dtype') ?? 'int32',
  HannWindow: windowed,
  HammingWindow: windowed,
  BlackmanWindow: windowed,
  QuantizeLinear: ({ named, input }) => input(2) ?? named('output_dtype') ?? 'uint8',
  DequantizeLinear: ({ named, input }) => named('output_dtype') ?? input(1),
};

function chosenType(node: OnnxNode, types: TypesByName): string | null | undefined {
  const attributes = node.attribute ?? [];
  if (node.opType === 'Constant') return constantType(attributes);
  const attribute: Choice['attribute'] = (name) => attributes.find((item) => item.name === name);
  return CHOOSERS[node.opType]?.({
    attribute,
    named: (name) => {
      const number = attribute(name)?.i;
      return number === undefined ? null : elementTypeName(toNumber(number));
    },
    input: (index) => types.get(node.input?.[index] ?? '') ?? null,
  });
}

function constantType(attributes: readonly OnnxAttribute[]): string | null {
  for (const { name, t } of attributes) {
    if (name === 'value') return tensorType(t);
    if (name === 'value_float' || name === 'value_floats') return 'float';
    if (name === 'value_int' || name === 'value_ints') return 'int64';
    if (name === 'value_string' || name === 'value_strings') return 'string';
  }
  return null;
}

function tensorType(tensor: OnnxTensor | undefined): string | null {
  return elementTypeName(tensor?.dataType);
}
