/** When the picture of a packet is shown and when it is decoded, microseconds of the file's own clock. */
export interface PacketStamps {
  readonly pts: number | null;
  readonly dts: number | null;
  /** False for what an edit of the file leaves out: it is decoded for the sake of the rest. */
  readonly isShown: boolean;
}

/** As many packets as no codec keeps back; the order of the first ones tells by how much all are kept. */
const FIRST_PACKETS = 32;
/** What lies farther from the first packet belongs to another clock. */
const NEAR_MICROS = 2_000_000;

/**
 * Gives packets the times at which their pictures are shown, in the order of the file. Pictures that are shown after others that follow
 * them in the file would make a clock step back: it is the order of decoding that never does, and only lies earlier by a fixed time.
 */
export class PresentationOrder {
  readonly #onTime: (micros: number | null) => void;
  #first: PacketStamps[] | null = [];
  #shift = 0;

  constructor(onTime: (micros: number | null) => void) {
    this.#onTime = onTime;
  }

  push(packet: PacketStamps): void {
    if (this.#first === null) {
      this.#give(packet);
      return;
    }
    this.#first.push(packet);
    if (this.#first.length === FIRST_PACKETS) this.#begin(this.#first);
  }

  /** Gives what was kept back, when no packet will come any more. */
  end(): void {
    if (this.#first !== null) this.#begin(this.#first);
  }

  #begin(packets: readonly PacketStamps[]): void {
    this.#first = null;
    // Only where each packet has its time is the n-th time in order that of the n-th packet.
    const isTold = packets.every((packet) => packet.pts !== null);
    const shown = isTold ? timesInOrder(packets) : packets.map((packet) => packet.pts);
    const known = packets.findIndex(({ pts, dts }) => pts !== null && dts !== null);
    const [pts, dts] = [shown[known] ?? null, packets[known]?.dts ?? null];
    if (pts !== null && dts !== null) this.#shift = pts - dts;
    for (const [at, packet] of packets.entries()) {
      // Some containers leave out the order of decoding at first.
      this.#give(packet.dts === null ? { ...packet, pts: shown[at] ?? packet.pts } : packet);
    }
  }

  #give({ pts, dts, isShown }: PacketStamps): void {
    if (isShown) this.#onTime(dts === null ? pts : dts + this.#shift);
  }
}

/** The times of showing that belong to the clock of the first one. */
function timesInOrder(packets: readonly PacketStamps[]): readonly number[] {
  const times = packets.flatMap(({ pts }) => pts ?? []);
  const [first = 0] = times;
  return times.filter((pts) => Math.abs(pts - first) <= NEAR_MICROS).toSorted((a, b) => a - b);
}
