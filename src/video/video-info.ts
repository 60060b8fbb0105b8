/** What ffprobe says of a video file, after the limits were checked. */
export interface VideoInfo {
  readonly container: string;
  readonly codec: string;
  /** Size as displayed: pixels are square and the picture is turned. */
  readonly width: number;
  readonly height: number;
  /** Clockwise degrees that the player applies: 0, 90, 180 or 270. */
  readonly rotation: number;
  /** Average frames per second of the stream. */
  readonly frameRate: number;
  /**
   * Where the video ends on the player's clock, seconds since the earliest stream's start, as the file promises it. What came of it is
   * known when it is decoded (`Footage`).
   */
  readonly durationSeconds: number;
  readonly sizeBytes: number;
}
