/** What ffprobe says of a video file, after the limits were checked. */
export interface VideoInfo {
  readonly container: string;
  readonly codec: string;
  /** Size as displayed: rotation metadata is already applied. */
  readonly width: number;
  readonly height: number;
  /** Clockwise degrees that the player applies: 0, 90, 180 or 270. */
  readonly rotation: number;
  /** Average frames per second of the stream. */
  readonly frameRate: number;
  readonly durationSeconds: number;
  readonly sizeBytes: number;
}
