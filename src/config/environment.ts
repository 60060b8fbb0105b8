/** The variables of this process. Nothing else reads them; a command hands them on. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}
