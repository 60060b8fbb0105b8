/** How stored pictures become the picture that a player shows; decided once per video, from its first decoded frames. */
export interface DisplayGeometry {
  /** Size of the first decoded frame. */
  readonly storedWidth: number;
  readonly storedHeight: number;
  /** Its size with square pixels, before it is turned. No side is smaller than the stored one. */
  readonly squareWidth: number;
  readonly squareHeight: number;
  /** Clockwise degrees by which it is turned after that. */
  readonly turn: 0 | 90 | 180 | 270;
  /** True when left and right change places before it is turned. */
  readonly isMirrored: boolean;
}
