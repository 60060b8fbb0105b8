import { Failure } from '../../failure/failure.ts';
import type { GraphBuilder, Value } from '../onnx/graph-builder.ts';

/** Which numbers of the logits make which label. */
export interface LabelReads {
  /** Token ids of each label. */
  readonly labels: readonly (readonly number[])[];
  /** For each label, where its 2nd, 3rd, ... token is read: a path and a position in it. */
  readonly places: readonly (readonly { readonly path: number; readonly position: number }[])[];
  /** Length of the logits' last axis. */
  readonly vocabulary: number;
  /** `sum`: log-probability of the whole label; `length`: divided by its number of tokens. */
  readonly normalisation: 'sum' | 'length';
}

interface AnswerLogits {
  /** [rows, vocabulary]: at the answer's beginning. */
  readonly first: Value;
  /** [rows * paths, length, vocabulary]; null where every label is one token. */
  readonly later: { readonly logits: Value; readonly paths: number; readonly length: number } | null;
}

/**
 * float32 [rows, labels]: the log-probability of every label, added up from those of its tokens in single precision whatever the
 * logits have. Of the later positions only those that a label asks for are normalised: each has the whole vocabulary.
 */
export function addLabelScores(graph: GraphBuilder, rows: Value, answer: AnswerLogits, reads: LabelReads): Value {
  const { labels, vocabulary, normalisation } = reads;
  checkTokens(graph, reads);
  const first = graph.node(
    'Gather',
    [addLogSoftmax(graph, answer.first, 1), graph.ints(labels.map(([token = 0]) => token))],
    { axis: 1 },
  );
  if (answer.later === null) return first;

  const { logits, paths, length } = answer.later;
  const wanted = laterReads(reads, length);
  const positions = [...new Set(wanted.flat().map(({ at }) => at))].toSorted((a, b) => a - b);
  const byRow = graph.node('Reshape', [logits, graph.ints([-1, paths * length, vocabulary])]);
  const asked = graph.node('Gather', [byRow, graph.ints(positions)], { axis: 1 });
  const flat = graph.node('Reshape', [addLogSoftmax(graph, asked, 2), graph.ints([-1, positions.length * vocabulary])]);
  const indices = wanted.flat().map(({ at, token }) => positions.indexOf(at) * vocabulary + token);
  const later = graph.node('Gather', [flat, graph.ints(indices)], { axis: 1 });
  const zero = graph.filled(graph.node('Concat', [rows, graph.ints([1])], { axis: 0 }), 'float32', 0);
  // One row of numbers to pick from: the labels' first tokens, the later ones, and nothing.
  const all = graph.node('Concat', [first, later, zero], { axis: 1 });
  const terms = graph.constant('int64', termTable(wanted), [labels.length, longest(labels)]);
  const sum = graph.node('ReduceSum', [graph.node('Gather', [all, terms], { axis: 1 }), graph.ints([2])], {
    keepdims: 0,
  });
  if (normalisation === 'sum') return sum;
  return graph.node('Div', [
    sum,
    graph.floats(
      labels.map((tokens) => tokens.length),
      [labels.length],
    ),
  ]);
}

/** Always in single precision: a sum over a vocabulary does not fit into half of it. */
function addLogSoftmax(graph: GraphBuilder, logits: Value, axis: number): Value {
  return graph.node('LogSoftmax', [graph.cast(logits, 'float32')], { axis });
}

interface LaterRead {
  /** Position of the token's distribution among those of all paths. */
  readonly at: number;
  readonly token: number;
}

/** Per label what is read for its tokens after the first. */
function laterReads({ labels, places }: LabelReads, length: number): readonly (readonly LaterRead[])[] {
  return labels.map((tokens, label) =>
    tokens.slice(1).map((token, i) => {
      const place = places[label]?.[i];
      if (place === undefined) throw new Error(`label ${label} has no place for its token ${i + 1}`);
      return { at: place.path * length + place.position, token };
    }),
  );
}

/** [labels, longest label]: which of the numbers at hand a label adds up, filled up with the zero at their end. */
function termTable(wanted: readonly (readonly LaterRead[])[]): readonly number[] {
  const zero = wanted.length + wanted.flat().length;
  const width = Math.max(...wanted.map((reads) => reads.length));
  let next = wanted.length;
  return wanted.flatMap((reads, label) => [
    label,
    ...Array.from({ length: width }, (_, i) => (i < reads.length ? next++ : zero)),
  ]);
}

function longest(labels: LabelReads['labels']): number {
  return Math.max(...labels.map((tokens) => tokens.length));
}

/** A token beyond the logits would be read from the next position. */
function checkTokens(graph: GraphBuilder, { labels, vocabulary }: LabelReads): void {
  const beyond = labels.flat().find((token) => token >= vocabulary);
  if (beyond === undefined) return;
  throw new Failure(
    'PACK_BROKEN',
    `${graph.name}: expected logits for token ${beyond} of the labels, found ${vocabulary} of them`,
  );
}
