import { NAMED_PARTS, namedPart } from './licences.ts';
import { asksFor, nameOf, type Lock } from './lockfile.ts';

/** Cells of the table of docs/security.md: package, licence, where it is, what asks for it, why it may be here. */
export function namedPartRows(lock: Lock): readonly (readonly string[])[] {
  const entries = Object.entries(lock.packages);
  return NAMED_PARTS.map((part) => {
    const folders = entries.flatMap(([folder, entry]) =>
      namedPart(nameOf(folder, entry), entry.license ?? null) === part ? [folder] : [],
    );
    const askers = [...new Set(folders.map((folder) => asksFor(lock, folder)))].map((name) => `\`${name}\``);
    return [`\`${part.name}\``, part.licence ?? 'none told', part.use, askers.join(', '), part.why];
  });
}
