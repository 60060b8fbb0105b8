/** The variables of this process. Nothing else reads them; a command hands them on. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

const NEEDED_BY_PROGRAMS = /^(PATH|HOME|TMPDIR|LD_LIBRARY_PATH|LD_PRELOAD|(NVIDIA|CUDA)_\w+)$/;

/** What a program of the system needs to be found and to run. The rest is for this process alone: credentials are among it. */
export function environmentOfPrograms(): Readonly<Record<string, string>> {
  const entries = Object.entries(process.env).flatMap(([name, value]): (readonly [string, string])[] =>
    value !== undefined && NEEDED_BY_PROGRAMS.test(name) ? [[name, value]] : [],
  );
  return Object.fromEntries(entries);
}
