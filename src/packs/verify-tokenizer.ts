import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { rethrowHostFault } from '../failure/host-fault.ts';
import type { Pack } from './load-pack.ts';
import type { PackProblem } from './pack-problem.ts';

const tokenizerFile = z.looseObject({
  added_tokens: z.array(z.looseObject({ id: z.int(), content: z.string() })).default([]),
});

/** Chat markers of a template, such as `<|im_start|>`: a tokenizer that cuts them up gives another prompt. */
const MARKERS = /<\|[^|<>]+\|>/g;

/** Special tokens that the manifest and its template need and the tokenizer does not have. */
export async function verifyTokenizer(pack: Pack): Promise<readonly PackProblem[]> {
  const { tokenizer, imageTokenId, stopTokenIds, template } = pack.manifest.language;
  const problem = (field: string, expected: string, found: string): PackProblem => ({
    file: tokenizer.path,
    field,
    expected,
    found,
  });
  let json: unknown;
  try {
    json = JSON.parse(await readFile(pack.filePath(tokenizer), 'utf8'));
  } catch (error) {
    rethrowHostFault(error);
    return [problem('tokenizer', 'JSON', error instanceof Error ? error.message : String(error))];
  }
  const parsed = tokenizerFile.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return [problem(issue?.path.join('.') || 'tokenizer', 'a tokenizer', issue?.message ?? 'something else')];
  }
  const added = new Map(parsed.data.added_tokens.map(({ id, content }) => [id, content]));
  const contents = new Set(added.values());
  const problems: PackProblem[] = [];
  if (added.get(imageTokenId) !== '<image>') {
    problems.push(problem('special token', `${imageTokenId} = <image>`, added.get(imageTokenId) ?? 'none'));
  }
  for (const id of stopTokenIds) {
    if (!added.has(id)) problems.push(problem('special token', `${id} as a stop token`, 'none'));
  }
  for (const marker of new Set(template.match(MARKERS))) {
    if (!contents.has(marker)) problems.push(problem('special token', `${marker} of the template`, 'none'));
  }
  return problems;
}
