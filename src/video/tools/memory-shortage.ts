/** What an allocation ends with that the address space of the tool has no room for. */
const NO_MEMORY = /Cannot allocate memory|std::bad_alloc|memory exhausted|Out of memory|[Ff]ailed to allocate/;

/** True for what a tool, or who starts it, says when it gets no memory. */
export function tellsOfNoMemory(line: string): boolean {
  return NO_MEMORY.test(line);
}
