// How a coded picture has to be turned and mirrored to be seen as it was meant.

export type Turn = 0 | 90 | 180 | 270;

/** Degrees clockwise, and whether it is mirrored left to right after that. */
export interface Orientation {
  turn: Turn;
  mirror: boolean;
}

/** A display matrix, as ffprobe prints it among what goes beside a stream. */
export interface DisplayMatrixRecord {
  rotation?: number;
  displaymatrix?: string;
}

/** A display matrix counts degrees against the clock, the older `rotate` tag with it. */
export function orientationOf(stream: {
  side_data_list?: DisplayMatrixRecord[];
  tags?: Record<string, string>;
}): Orientation {
  const data = stream.side_data_list?.find(({ rotation }) => rotation !== undefined);
  const matrix = matrixIn(data?.displaymatrix);
  if (matrix) return ofMatrix(matrix);
  const degrees = data?.rotation === undefined ? Number(stream.tags?.['rotate'] ?? 0) : -data.rotation;
  return { turn: quarterTurn(degrees), mirror: false };
}

/** Where the coded picture's axes point: across to (a, b), down to (c, d). */
type DisplayMatrix = { a: number; b: number; c: number; d: number };

/** Of a matrix that mirrors, mirroring left to right once more is taken off, and what is left is a turn. */
function ofMatrix({ a, b, c, d }: DisplayMatrix): Orientation {
  const mirror = a * d - b * c < 0;
  const degrees = (Math.atan2(b, mirror ? -a : a) * 180) / Math.PI;
  return { turn: quarterTurn(degrees), mirror };
}

/** ffprobe prints three rows of three numbers, each after its number. */
function matrixIn(text: string | undefined): DisplayMatrix | undefined {
  const rows = [...(text ?? '').matchAll(/^\d+:\s+(-?\d+)\s+(-?\d+)\s+-?\d+\s*$/gm)];
  const [across, down] = rows.map(([, x, y]) => [Number(x), Number(y)] as const);
  if (!across || !down) return undefined;
  const [[a, b], [c, d]] = [across, down];
  return a * d - b * c === 0 ? undefined : { a, b, c, d };
}

function quarterTurn(degrees: number): Turn {
  const quarters = ((Math.round((Number.isFinite(degrees) ? degrees : 0) / 90) % 4) + 4) % 4;
  return (quarters * 90) as Turn;
}
