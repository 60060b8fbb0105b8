import { outsideText } from '../text/outside-text.ts';
import { lackOf } from './broken-install.ts';
import { causesOf } from './causes.ts';
import type { FailureCode } from './codes.ts';
import { Failure, Interruption } from './failure.ts';
import { textField, wordsOf } from './fields.ts';
import { meaningOfAnswer } from './sources/aws.ts';
import { signOfNodeError } from './sources/node.ts';
import { meaningOfOrtText } from './sources/onnxruntime.ts';
import { databaseFacts } from './sources/broken-rule.ts';
import { databaseAdvice, databaseReason, databaseSignOf, isDatabaseError } from './sources/postgres.ts';

interface Meaning {
  readonly code: FailureCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, string>>;
}

/**
 * The single place where anything that was thrown becomes one of the closed family. The first error of the cause chain
 * that a source knows decides; what no source knows is UNKNOWN, which is temporary. The cause is always what was thrown, with all
 * that is behind it. A `Failure` passes unchanged.
 */
export function toFailure(error: unknown): Failure {
  for (const link of causesOf(error)) {
    if (link instanceof Failure) return link;
    const meaning = meaningOf(link);
    if (meaning !== null) {
      const { code, message, details = {} } = meaning;
      return new Failure(code, message, { cause: error, details });
    }
  }
  return new Failure('UNKNOWN', `an error that no rule knows: ${describe(error)}`, { cause: error });
}

function meaningOf(link: object): Meaning | null {
  if (link instanceof Interruption) {
    return link.kind === 'deadline' ? { code: 'JOB_DEADLINE', message: link.message } : null;
  }
  const lack = lackOf(link);
  if (lack !== null) return { code: 'INSTALL_BROKEN', message: lack };
  const sign = isDatabaseError(link) ? databaseSignOf(link) : null;
  if (sign !== null) {
    const message = `database: could not run a statement: ${databaseReason(link)}${databaseAdvice(sign.code)}`;
    return { code: sign.code, message, details: databaseFacts(sign.external, link) };
  }
  const node = signOfNodeError(link);
  if (node !== null) {
    return { code: node.code, message: `${describe(link)}${node.advice}`, details: { external: node.external } };
  }
  const answer = meaningOfAnswer(link);
  if (answer !== null) {
    const external = textField(link, 'code') ?? textField(link, 'name') ?? '';
    return { code: answer, message: describe(link), details: { external } };
  }
  const text = textField(link, 'message') ?? '';
  const inference = meaningOfOrtText(text);
  if (inference === null) return null;
  return {
    code: inference.code,
    message: `inference on ${inference.device} failed: ${outsideText(text.trimEnd(), 2_000)}`,
  };
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'something that is not an error was thrown';
  return outsideText(wordsOf(error), 500);
}
