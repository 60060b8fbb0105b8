import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

// Writes the two tables of src/graphs/placement that say where operators run:
//   node models/kernels/build.ts --schemas schemas.json --kernels kernels.tsv
// schemas.json is what schemas.py prints; kernels.tsv has the rows of the section CUDAExecutionProvider of ONNX Runtime's
// docs/OperatorKernels.md: domain, operator, since, until (empty: open), VARIABLE=type,type;... Rows that begin with #+ are of a
// later state of that page and replace all rows of their operator.

interface Schema {
  readonly domain: string;
  readonly op: string;
  readonly since: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

interface Kernel {
  readonly since: string;
  readonly until: string;
  readonly types: string;
}

/** Nothing before it is looked at: older models are refused by the worker's own exports. */
const FIRST_OPSET = 11;
const OUT = new URL('../../src/graphs/placement/', import.meta.url);

const nameOf = (domain: string, op: string): string => (domain === 'ai.onnx' ? op : `${domain}:${op}`);

function readKernels(text: string): Map<string, Kernel[]> {
  const rows = new Map<string, Kernel[]>();
  const newer = new Map<string, Kernel[]>();
  for (const line of text.split('\n')) {
    const into = line.startsWith('#+\t') ? newer : rows;
    if (line === '' || (line.startsWith('#') && into === rows)) continue;
    const [domain = '', op = '', since = '', until = '', types = ''] = line.replace(/^#\+\t/, '').split('\t');
    const name = nameOf(domain, op);
    into.set(name, [...(into.get(name) ?? []), { since, until, types }]);
  }
  return new Map([...rows, ...newer].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Sets of types that several rows share are written once. */
function typeSets(kernels: ReadonlyMap<string, readonly Kernel[]>): readonly string[] {
  const counts = new Map<string, number>();
  for (const { types } of [...kernels.values()].flat()) {
    for (const part of types.split(';')) {
      const set = part.slice(part.indexOf('=') + 1);
      if (set.includes(',')) counts.set(set, (counts.get(set) ?? 0) + 1);
    }
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([set]) => set);
}

function kernelsFile(kernels: ReadonlyMap<string, readonly Kernel[]>): string {
  const sets = typeSets(kernels);
  const rangeOf = ({ since, until }: Kernel): string =>
    until === '' ? `${since}+` : until === since ? since : `${since}-${until}`;
  const typesOf = ({ types }: Kernel): string =>
    types
      .split(';')
      .map((part) => {
        const [variable, set = ''] = part.split('=');
        const shared = sets.indexOf(set);
        return `${variable}=${shared < 0 ? set : `@${shared}`}`;
      })
      .join(' ');
  const lines = [...kernels].map(
    ([name, rows]) => `${name} ${rows.map((row) => `${rangeOf(row)} ${typesOf(row)}`).join('; ')}`,
  );
  return `// Written by models/kernels/build.ts; do not edit.

/**
 * Facts from microsoft/onnxruntime, docs/OperatorKernels.md, section CUDAExecutionProvider, at commit
 * 004b79eda305a216ab8d0e21eabe81d7713eb768 (slightly later than release 1.30.0; operators whose rows did not change since
 * commit 001d12d2623fd411ce0f83d05abb5e82304a3389 were read there). NonMaxSuppression is missing on that page, which leaves out
 * kernels without type constraints; its row is from onnxruntime/core/providers/cuda/object_detection/non_max_suppression.cc.
 * Left out: ranges that end before opset ${FIRST_OPSET}, sequences, random numbers, recurrent layers and the runtime's own copies.
 */
export const CUDA_KERNEL_SOURCE = 'ONNX Runtime docs/OperatorKernels.md at 004b79eda305';

/** Sets of element types that rows below refer to as @N. */
export const CUDA_TYPE_SETS: readonly string[] = ${JSON.stringify(sets, null, 2)};

/** One operator a line: ranges of opsets (13+ is open, 6-12 ends), each with the element types of the schema's variables. */
export const CUDA_KERNELS = \`
${lines.join('\n')}
\`;
`;
}

function schemasFile(version: string, schemas: readonly Schema[], kernels: ReadonlyMap<string, unknown>): string {
  const byName = new Map<string, Schema[]>();
  for (const schema of schemas.toSorted((a, b) => a.since - b.since)) {
    const name = nameOf(schema.domain, schema.op);
    // Other operators of the runtime's own domain have no CUDA kernel, whatever their types.
    if (schema.domain !== 'ai.onnx' && !kernels.has(name)) continue;
    if (/^(Sequence|Optional|String|ConcatFromSequence|SplitToSequence)/.test(schema.op)) continue;
    byName.set(name, [...(byName.get(name) ?? []), schema]);
  }
  const lines = [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, versions]) => {
      const last = versions.findLastIndex(({ since }) => since <= FIRST_OPSET);
      const groups: { signature: string; since: number[] }[] = [];
      for (const schema of versions.slice(Math.max(last, 0))) {
        const signature = `${schema.inputs.join(' ')} > ${schema.outputs.join(' ')}`.trim();
        const group = groups.at(-1);
        if (group?.signature === signature) group.since.push(schema.since);
        else groups.push({ signature, since: [schema.since] });
      }
      return `${name} ${groups.map(({ signature, since }) => `${since.join(',')} ${signature}`).join('; ')}`;
    });
  return `// Written by models/kernels/build.ts; do not edit.

/**
 * Facts from the operator schemas of ONNX Runtime ${version}: for each operator the opsets at which its schema changed (those
 * that a model of opset ${FIRST_OPSET} or newer can meet) and the element types of inputs and outputs: =float is that type, anything else a
 * type variable of the schema; ? may be absent, * may repeat.
 */
export const OPERATOR_SCHEMAS = \`
${lines.join('\n')}
\`;
`;
}

const { values } = parseArgs({ options: { schemas: { type: 'string' }, kernels: { type: 'string' } } });
if (values.schemas === undefined || values.kernels === undefined) {
  console.error('usage: build.ts --schemas schemas.json --kernels kernels.tsv');
  process.exitCode = 2;
} else {
  const { version, schemas } = JSON.parse(readFileSync(values.schemas, 'utf8')) as {
    version: string;
    schemas: readonly Schema[];
  };
  const kernels = readKernels(readFileSync(values.kernels, 'utf8'));
  writeFileSync(new URL('cuda-kernel-table.ts', OUT), kernelsFile(kernels));
  writeFileSync(new URL('operator-table.ts', OUT), schemasFile(version, schemas, kernels));
}
