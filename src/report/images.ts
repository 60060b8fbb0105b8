/** JPEGs for a report; what is missing is left out of the page. */
export interface ReportImages {
  readonly keyFrames: readonly {
    /** Number of the frame in the file: finds the boxes in the analysis. */
    readonly frameIndex: number;
    readonly t: number;
    readonly jpeg: Uint8Array;
  }[];
  /** By highlight key. */
  readonly highlights: ReadonlyMap<string, Uint8Array>;
}

export const NO_IMAGES: ReportImages = { keyFrames: [], highlights: new Map() };

/** A `data:` URL, so that the page needs no other file. */
export function jpegDataUrl(jpeg: Uint8Array): string {
  return `data:image/jpeg;base64,${Buffer.from(jpeg).toString('base64')}`;
}
