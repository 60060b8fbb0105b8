import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { AREAS, GUARDED_MODULES, ROOMS } from './rooms.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NAMES_BY_LENGTH = Object.keys(ROOMS).sort((a, b) => b.length - a.length);

/** What the linter hands over of a node; all that is read of it. */
interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Context {
  readonly filename: string;
  report(problem: { readonly node: Node; readonly message: string }): void;
}

/**
 * The linter's plugin that holds the walls of rooms.ts. Every way to name another file is resolved to a path and looked up in the
 * table. The linter's own `no-restricted-imports` compares patterns with the text as written instead: it needs one for every depth,
 * says nothing of a room that nobody thought of, and does not see the types of `import('...')` nor a thread's address.
 */
export default {
  meta: { name: 'walls' },
  rules: { rooms: { create: (context: Context) => visitImports(context) } },
};

function visitImports(context: Context): Record<string, (node: Node) => void> {
  const file = relative(ROOT, context.filename).split(sep).join('/');
  const see = (source: unknown): void => {
    if (!isNode(source)) return;
    const specifier = literal(source);
    const refusal = specifier === null ? refuseUnknown(file) : refuse(file, specifier);
    if (refusal !== null) context.report({ node: source, message: refusal });
  };
  return {
    Program: (node) => {
      if (file.startsWith('src/') && roomOf(file) === null) {
        context.report({
          node,
          message: `${dirname(file)} is no room: scripts/lint/rooms.ts says what each room may import`,
        });
      }
    },
    ImportDeclaration: ({ source }) => see(source),
    ExportNamedDeclaration: ({ source }) => see(source),
    ExportAllDeclaration: ({ source }) => see(source),
    ImportExpression: ({ source }) => see(source),
    TSImportType: ({ source }) => see(source),
    TSExternalModuleReference: ({ expression }) => see(expression),
    CallExpression: (node) => {
      if (nameOf(node['callee']) === 'require') see(first(node));
    },
    // A thread is started by its file's address.
    NewExpression: (node) => {
      const path = nameOf(node['callee']) === 'URL' ? literal(first(node)) : null;
      if (path !== null && /^\.{1,2}\/.*\.[cm]?[jt]s$/.test(path)) see(first(node));
    },
  };
}

/** Why `file` may not import `specifier`; null where it may. Both areas and rooms are asked. */
function refuse(file: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return file.startsWith('src/') ? refusePackage(file, specifier) : null;
  const target = join(dirname(file), specifier).split(sep).join('/');
  const [from, to] = [file, target].map((path) => path.split('/')[0]!) as [string, string];
  const area = AREAS[from];
  if (area !== undefined && from !== to && !area.imports.includes(to)) {
    return `${from} may not import ${to === '..' ? target : to}: ${area.is}`;
  }
  const room = roomOf(file);
  const other = roomOf(target);
  if (room === null || room === other) return null;
  const allowed = ROOMS[room]!.imports;
  if (other !== null && (allowed.includes(other) || allowed.includes(target.slice('src/'.length)))) return null;
  const open = allowed.filter((path) => path.endsWith('.ts') && path.startsWith(`${other}/`));
  const what =
    open.length === 0 ? `may not import ${other ?? target}` : `may import of ${other} only ${open.join(', ')}`;
  return `${room} ${what}: ${ROOMS[room]!.is}`;
}

function refuseUnknown(file: string): string | null {
  return file.startsWith('src/') ? 'a name that is put together at run time passes every wall unseen' : null;
}

function refusePackage(file: string, specifier: string): string | null {
  if (isBuiltin(specifier)) {
    const name = specifier.replace(/^node:/, '').split('/')[0]!;
    const guarded = Object.hasOwn(GUARDED_MODULES, name) ? GUARDED_MODULES[name]! : [file];
    return guarded.includes(file) ? null : `node:${name} is only for ${guarded.join(', ') || 'nobody in src'}`;
  }
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const room = roomOf(file);
  if (room === null || ROOMS[room]!.packages?.includes(name) === true) return null;
  const owners = Object.keys(ROOMS).filter((other) => ROOMS[other]!.packages?.includes(name) === true);
  return `${room} may not import ${name}: ${owners.length === 0 ? 'no room may' : `it is for ${owners.join(', ')}`}`;
}

function roomOf(path: string): string | null {
  return NAMES_BY_LENGTH.find((name) => path.startsWith(`src/${name}/`)) ?? null;
}

/** The text of a string or of a template without parts. */
function literal(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (typeof node['value'] === 'string') return node['value'];
  const quasis = node['quasis'] as readonly { readonly value: { readonly cooked: string } }[] | undefined;
  return quasis?.length === 1 ? quasis[0]!.value.cooked : null;
}

function first(node: Node): unknown {
  return (node['arguments'] as readonly unknown[])[0];
}

function nameOf(node: unknown): unknown {
  return isNode(node) ? node['name'] : null;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}
