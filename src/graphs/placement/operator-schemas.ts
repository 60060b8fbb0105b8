import { OPERATOR_SCHEMAS } from './operator-table.ts';

/** An input or output of an operator: its element type, or the type variable that others may share. */
export interface Parameter {
  readonly type: string | null;
  readonly variable: string | null;
  /** The last one may stand for any number of tensors. */
  readonly repeats: boolean;
}

export interface OperatorSchema {
  /** The opset at which this form of the operator came. */
  readonly since: number;
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
}

let table: ReadonlyMap<string, readonly OperatorSchema[]> | null = null;

/** `Add`, or `com.microsoft:FusedMatMul` for another domain than ONNX's own. */
export function operatorName(domain: string | undefined, op: string): string {
  return domain === undefined || domain === '' || domain === 'ai.onnx' ? op : `${domain}:${op}`;
}

/** The newest form of the operator that a model of this opset can mean; null where no such operator is known. */
export function operatorSchema(name: string, opset: number): OperatorSchema | null {
  table ??= new Map(OPERATOR_SCHEMAS.trim().split('\n').map(parseLine));
  return table.get(name)?.findLast(({ since }) => since <= opset) ?? null;
}

/** The parameter at a place, the last one standing for those after it where it repeats. */
export function parameterAt(parameters: readonly Parameter[], index: number): Parameter | null {
  const last = parameters.at(-1);
  return parameters[index] ?? (last?.repeats === true ? last : null);
}

function parseLine(line: string): [string, readonly OperatorSchema[]] {
  const space = line.indexOf(' ');
  const versions = line
    .slice(space + 1)
    .split('; ')
    .flatMap((text): OperatorSchema[] => {
      const [opsets = '', ...signature] = text.split(' ');
      const arrow = signature.indexOf('>');
      const inputs = signature.slice(0, arrow).map(parseParameter);
      const outputs = signature.slice(arrow + 1).map(parseParameter);
      return opsets.split(',').map((since) => ({ since: Number(since), inputs, outputs }));
    });
  return [line.slice(0, space), versions];
}

function parseParameter(text: string): Parameter {
  const plain = text.replace(/[?*]$/, '');
  const fixed = plain.startsWith('=');
  return {
    type: fixed ? plain.slice(1) : null,
    variable: fixed ? null : plain,
    repeats: text.endsWith('*'),
  };
}
