/** Memory that nobody keeps any more. Until it is collected it can be had back. */
export class DroppedMemory {
  #references: readonly WeakRef<SharedArrayBuffer>[] = [];

  add(memories: readonly SharedArrayBuffer[]): void {
    if (memories.length === 0) return;
    this.#references = [...this.#references, ...memories.map((memory) => new WeakRef(memory))];
  }

  /** Memory of just so many bytes, which is then the taker's alone. */
  take(bytes: number): SharedArrayBuffer | null {
    let taken: SharedArrayBuffer | null = null;
    this.#references = this.#references.filter((reference) => {
      const memory = reference.deref();
      if (memory === undefined) return false;
      if (taken !== null || memory.byteLength !== bytes) return true;
      taken = memory;
      return false;
    });
    return taken;
  }
}
