import { outsideText } from '../text/outside-text.ts';
import { causesOf } from './causes.ts';
import { Failure } from './failure.ts';
import { textField } from './fields.ts';

/** What Node says of a module that is not there, cannot be read as one, or whose native part the loader refuses. */
const OF_MODULES: ReadonlySet<string> = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_DLOPEN_FAILED',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_INVALID_PACKAGE_CONFIG',
]);
/** Of sharp, which drops what it was told; of V8, where the files of two versions lie beside each other. */
const WITHOUT_CODE = /^Could not load the "sharp" module|^The requested module '.*' does not provide an export named/;
/** From here on Node lists who asked, and sharp gives advice for its own install. */
const ASIDE = /\n(?:Require stack|Possible solutions):[^]*$/;
const ADVICE = '; the install is not whole: run scripts/setup again, or unpack the bundle anew';

/** What is lacking and what to do, where an error says that a part of the worker could not be loaded; null for every other one. */
export function lackOf(error: object): string | null {
  const message = textField(error, 'message') ?? '';
  if (!OF_MODULES.has(textField(error, 'code') ?? '') && !WITHOUT_CODE.test(message)) return null;
  const lines = outsideText(message.replace(ASIDE, ''), 500).split('\n');
  const said = lines.map((line) => line.trim()).filter((line) => line !== '');
  return `${said.join(': ')}${ADVICE}`;
}

/** The INSTALL_BROKEN that an error or one behind it comes to, with all of it as the cause; null where none of them is of a module. */
export function brokenInstall(error: unknown): Failure | null {
  for (const link of causesOf(error)) {
    if (link instanceof Failure) return link.code === 'INSTALL_BROKEN' ? link : null;
    const lack = lackOf(link);
    if (lack !== null) return new Failure('INSTALL_BROKEN', lack, { cause: error });
  }
  return null;
}
