import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { refuseGlobal } from './globals.ts';
import { ADDRESS_MAKERS, AREAS, GUARDED_MODULES, ROOMS } from './rooms.ts';
import { isNode, keyOf, literal, nameOf, useOf, type Context, type Node, type Visitor } from './syntax.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NAMES_BY_LENGTH = Object.keys(ROOMS).sort((a, b) => b.length - a.length);
/** What may be read of `import.meta` as it is; its `resolve` is only called. */
const META = ['url', 'dirname', 'filename'];

/**
 * The linter's plugin that holds the walls of rooms.ts. Every way to name another file is resolved to a path and looked up in the
 * table. The linter's own `no-restricted-imports` compares patterns with the text as written instead: it needs one for every depth,
 * says nothing of a room that nobody thought of, and does not see the types of `import('...')` nor a thread's address. Its
 * `no-restricted-properties` does not see through a cast, nor a second name.
 */
export default {
  meta: { name: 'walls' },
  rules: {
    rooms: { create: (context: Context) => visitImports(context) },
    globals: { create: (context: Context) => visitGlobals(context) },
  },
};

function visitGlobals(context: Context): Visitor {
  const file = pathOf(context);
  if (!file.startsWith('src/')) return {};
  return {
    Identifier: (node) => {
      const refusal = refuseGlobal(file, node);
      if (refusal !== null) context.report({ node, message: refusal });
    },
  };
}

function visitImports(context: Context): Visitor {
  const file = pathOf(context);
  const tell = (node: Node, message: string | null): void => {
    if (message !== null) context.report({ node, message });
  };
  const see = (source: unknown): void => {
    if (!isNode(source)) return;
    const specifier = literal(source);
    tell(source, specifier === null ? refuseUnknown(file) : refuse(file, specifier));
  };
  return {
    Program: (node) => {
      if (!file.startsWith('src/') || roomOf(file) !== null) return;
      tell(node, `${dirname(file)} is no room: scripts/lint/rooms.ts says what each room may import`);
    },
    ImportDeclaration: ({ source }) => see(source),
    ExportNamedDeclaration: ({ source }) => see(source),
    ExportAllDeclaration: ({ source }) => see(source),
    ImportExpression: ({ source }) => see(source),
    TSImportType: ({ source }) => see(source),
    TSExternalModuleReference: ({ expression }) => see(expression),
    ImportSpecifier: (node) => {
      if (nameOf(node['imported']) !== 'URL' || nameOf(node['local']) === 'URL') return;
      if (file.startsWith('src/')) tell(node, 'URL under another name passes every wall unseen');
    },
    MetaProperty: (node) => {
      if (nameOf(node['meta']) !== 'import') return;
      const { user, used } = useOf(node);
      const property = user?.type === 'MemberExpression' && user['object'] === used ? keyOf(user, 'property') : null;
      const call = user === undefined || property !== 'resolve' ? undefined : callOf(user);
      if (call !== undefined) see(argument(call, 0));
      else if (property === null || !META.includes(property)) tell(node, refuseUnknown(file));
    },
    CallExpression: (node) => {
      const name = nameOf(node['callee']);
      if (name === 'require') see(argument(node, 0));
      // It adds the ending itself.
      if (name === 'threadEntry') tell(node, refuseStem(file, argument(node, 1)));
    },
    // A thread is started by its file's address.
    NewExpression: (node) => {
      const name = nameOf(node['callee']);
      if (name === 'URL') tell(node, refuseAddress(file, argument(node, 0), argument(node, 1)));
      if (name === 'Worker') tell(node, refuseThread(file, argument(node, 0)));
    },
  };
}

function pathOf({ filename }: Context): string {
  return relative(ROOT, filename).split(sep).join('/');
}

/** Of the addresses that are written out only those of code count: others are of files that are read. */
function refuseAddress(file: string, path: unknown, base: unknown): string | null {
  const text = literal(path);
  if (text === null) return base === undefined || literal(base) !== null ? null : refuseUnknownAddress(file);
  if (!/^\.{1,2}\//.test(text)) return null;
  const isCode = /\.[cm]?[jt]s$/.test(text) || join(dirname(file), text).split(sep).join('/').startsWith('src/');
  return isCode ? refuse(file, text) : null;
}

function refuseStem(file: string, stem: unknown): string | null {
  const text = literal(stem);
  return text === null ? refuseUnknownAddress(file) : refuse(file, `${text}.ts`);
}

/** A thread's file is looked for from where the process was started, which is the root of the project. */
function refuseThread(file: string, path: unknown): string | null {
  const text = literal(path);
  if (text === null) return null;
  return text.startsWith('.') ? refuse(file, `./${relative(dirname(file), text)}`) : refuse(file, text);
}

function refuseUnknownAddress(file: string): string | null {
  return ADDRESS_MAKERS.includes(file) ? null : refuseUnknown(file);
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
  if (other !== null && area?.closed?.includes(other) === true) return `${from} may not import ${other}: ${area.is}`;
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

function argument(node: Node, index: number): unknown {
  return (node['arguments'] as readonly unknown[])[index];
}

/** The call of this function, where it is called. */
function callOf(callee: Node): Node | undefined {
  const { user, used } = useOf(callee);
  return user?.type === 'CallExpression' && user['callee'] === used ? user : undefined;
}
