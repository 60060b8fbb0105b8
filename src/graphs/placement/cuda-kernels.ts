import { CUDA_KERNELS, CUDA_TYPE_SETS } from './cuda-kernel-table.ts';

interface Kernel {
  readonly since: number;
  /** Null: the range is open. */
  readonly until: number | null;
  /** Element types by the schema's type variable. */
  readonly types: ReadonlyMap<string, readonly string[]>;
}

/** `unknown`: whether there is one depends on a type that nobody could tell. */
export type KernelAnswer = { readonly found: 'yes' } | { readonly found: 'no' | 'unknown'; readonly reason: string };

/** Element types that a node gives to the schema's variables; null where one is not known. */
export type TypeBindings = ReadonlyMap<string, readonly (string | null)[]>;

let table: ReadonlyMap<string, readonly Kernel[]> | null = null;

/**
 * Whether the CUDA provider has a kernel for an operator whose schema came with opset `since`. The rule is that of ONNX
 * Runtime's kernel_registry.cc: a kernel serves exactly the opset that it begins with, and those up to the end of its range
 * where it has one. An open range does not reach a newer schema of the operator.
 */
export function findCudaKernel(name: string, since: number, bindings: TypeBindings): KernelAnswer {
  table ??= new Map(CUDA_KERNELS.trim().split('\n').map(parseLine));
  const kernels = table.get(name);
  if (kernels === undefined) return { found: 'no', reason: 'the CUDA provider has no such operator' };
  const served = kernels.filter((kernel) => serves(kernel, since));
  if (served.length === 0) {
    const ranges = kernels.map(({ since: from, until }) =>
      until === null || until === from ? `${from}` : `${from} to ${until}`,
    );
    return {
      found: 'no',
      reason: `the CUDA provider has it for the schemas of opset ${ranges.join(', ')}, not for that of opset ${since}`,
    };
  }
  const misfits = served.map((kernel) => misfit(kernel, bindings));
  if (misfits.includes(null)) return { found: 'yes' };
  const unknown = misfits.find((problem) => problem?.found === 'unknown');
  return unknown ?? misfits[0] ?? { found: 'no', reason: 'the CUDA provider has no such operator' };
}

function serves(kernel: Kernel, since: number): boolean {
  return kernel.since === since || (kernel.until !== null && kernel.since <= since && since <= kernel.until);
}

/** Null where all types fit. A variable that the schema does not have has one type only, which always fits. */
function misfit(kernel: Kernel, bindings: TypeBindings): KernelAnswer | null {
  let unknown: KernelAnswer | null = null;
  for (const [variable, allowed] of kernel.types) {
    for (const type of bindings.get(variable) ?? []) {
      if (type === null) unknown = { found: 'unknown', reason: `the element type ${variable} is not known` };
      else if (!allowed.includes(type)) {
        return { found: 'no', reason: `the CUDA provider has it for ${allowed.join(', ')}, not for ${type}` };
      }
    }
  }
  return unknown;
}

function parseLine(line: string): [string, readonly Kernel[]] {
  const space = line.indexOf(' ');
  return [
    line.slice(0, space),
    line
      .slice(space + 1)
      .split('; ')
      .map(parseKernel),
  ];
}

function parseKernel(text: string): Kernel {
  const [range = '', ...variables] = text.split(' ');
  const [since, until] = range.replace('+', '').split('-').map(Number);
  return {
    since: since ?? 0,
    until: range.endsWith('+') ? null : (until ?? since ?? 0),
    types: new Map(
      variables.map((part) => {
        const [variable = '', set = ''] = part.split('=');
        const types = set.startsWith('@') ? (CUDA_TYPE_SETS[Number(set.slice(1))] ?? '') : set;
        return [variable, types.split(',')];
      }),
    ),
  };
}
