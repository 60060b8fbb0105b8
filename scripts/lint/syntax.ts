/** What the linter hands over of a node; all that is read of it. */
export interface Node {
  readonly type: string;
  readonly parent?: Node;
  readonly [key: string]: unknown;
}

/** What the linter gives a rule for one file. */
export interface Context {
  readonly filename: string;
  report(problem: { readonly node: Node; readonly message: string }): void;
}

/** What a rule does at the nodes of each type. */
export type Visitor = Record<string, (node: Node) => void>;

/** Wraps a value and leaves it what it is. */
const WRAPPERS = new Set([
  'TSAsExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
  'ParenthesizedExpression',
  'ChainExpression',
]);

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** The text of a string or of a template without parts. */
export function literal(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (typeof node['value'] === 'string') return node['value'];
  const quasis = node['quasis'] as readonly { readonly value: { readonly cooked: string } }[] | undefined;
  return quasis?.length === 1 ? quasis[0]!.value.cooked : null;
}

/** The name of a variable, or of the last property of `a.b.c`. */
export function nameOf(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (WRAPPERS.has(node.type)) return nameOf(node['expression']);
  if (node.type === 'Identifier') return node['name'] as string;
  return node.type === 'MemberExpression' ? keyOf(node, 'property') : null;
}

/** The name of a property, as it stands under `key` of its member, its pattern or its object; null where it is computed. */
export function keyOf(node: Node, key: 'property' | 'key'): string | null {
  const name = node[key];
  return isNode(name) && name.type === 'Identifier' && node['computed'] !== true
    ? (name['name'] as string)
    : literal(name);
}

/** What a value is used by, and the value with the casts around it. */
export function useOf(value: Node): { readonly user: Node | undefined; readonly used: Node } {
  let used = value;
  while (used.parent !== undefined && WRAPPERS.has(used.parent.type)) used = used.parent;
  return { user: used.parent, used };
}
