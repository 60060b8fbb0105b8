/** The variables of a process that is to see none of the developer's own: where programs are, and what Node has compiled before. */
export function bareEnvironment(): { readonly [name in 'PATH' | 'NODE_COMPILE_CACHE']?: string } {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { ...(PATH !== undefined && { PATH }), ...(NODE_COMPILE_CACHE !== undefined && { NODE_COMPILE_CACHE }) };
}
