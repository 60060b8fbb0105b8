import { GUARDED_PROPERTIES } from './rooms.ts';
import { isNode, keyOf, useOf, type Node } from './syntax.ts';

/** `URL` has no guarded property, but the addresses that it makes are known by its name. */
const WATCHED = new Set(['process', 'globalThis', 'global', 'URL']);

/** Where a value can get another name. An argument cannot be told from one that is only looked at, and passes. */
const NAMED_BY: Readonly<Record<string, string>> = {
  VariableDeclarator: 'init',
  AssignmentExpression: 'right',
  AssignmentPattern: 'right',
  PropertyDefinition: 'value',
  Property: 'value',
  ReturnStatement: 'argument',
  ArrowFunctionExpression: 'body',
  SpreadElement: 'argument',
};

/** Why the use of this global in `file` is refused; null where it is not. */
export function refuseGlobal(file: string, node: Node): string | null {
  const name = node['name'] as string;
  if (!WATCHED.has(name)) return null;
  const { user, used } = useOf(node);
  if (user?.type === 'MemberExpression') {
    return user['object'] === used ? refuseProperty(file, name, keyOf(user, 'property')) : null;
  }
  const place = user === undefined ? undefined : NAMED_BY[user.type];
  if (user === undefined || place === undefined || user[place] !== used) return null;
  // The value of a property that a pattern takes apart is a new variable.
  if (user.type === 'Property' && user.parent?.type === 'ObjectPattern') return null;
  const pattern = user['id'] ?? user['left'];
  const taken = isNode(pattern) && pattern.type === 'ObjectPattern' ? (pattern['properties'] as readonly Node[]) : null;
  if (taken === null) return `${name} under another name passes every wall unseen`;
  const keys = taken.map((one) => (one.type === 'Property' ? keyOf(one, 'key') : null));
  return keys.map((key) => refuseProperty(file, name, key)).find((refusal) => refusal !== null) ?? null;
}

function refuseProperty(file: string, name: string, property: string | null): string | null {
  if (name === 'URL') return null;
  if (property === null) return `what is read of ${name} by a computed name passes every wall unseen`;
  const guarded = GUARDED_PROPERTIES[`${name}.${property}`];
  if (guarded === undefined || guarded.open.some((path) => file.startsWith(path))) return null;
  return `${name}.${property} is guarded: ${guarded.is}`;
}
