import type { TensorDeclaration } from '../onnx/graph-builder.ts';

/** The tensors that a model's owner says it has, and the name of its file in messages. */
export interface ModelSignature {
  readonly file: { readonly path: string };
  readonly inputs: readonly TensorDeclaration[];
  readonly outputs: readonly TensorDeclaration[];
}
