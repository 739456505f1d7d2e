// Whether a 440 Hz tone goes on without a click.

/** Of ffmpeg's f32le. */
export const samplesOf = (bytes: Buffer): Float32Array =>
  new Float32Array(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)) as ArrayBuffer,
  );

/** By how many dB the sound at the worst of the borders is cleaner than 20 AAC frames later: far below 0 is a click. */
export const worstSeam = (samples: Float32Array, borders: readonly number[], rate: number): number =>
  Math.min(...borders.map((border) => snr(samples, border, rate) - snr(samples, border + 20 * 1024, rate)));

/** Signal to noise, in dB, of a 440 Hz tone in the 4,096 samples around `centre`: noise is what the best fit leaves. */
export function snr(samples: Float32Array, centre: number, rate: number): number {
  const part = samples.subarray(centre - 2048, centre + 2048);
  let [sine, cosine] = [0, 0];
  const angle = (index: number) => (2 * Math.PI * 440 * (centre - 2048 + index)) / rate;
  let [ss, cc, sc] = [0, 0, 0];
  part.forEach((value, index) => {
    const [s, c] = [Math.sin(angle(index)), Math.cos(angle(index))];
    sine += value * s;
    cosine += value * c;
    ss += s * s;
    cc += c * c;
    sc += s * c;
  });
  const determinant = ss * cc - sc * sc;
  const [a, b] = [(sine * cc - cosine * sc) / determinant, (cosine * ss - sine * sc) / determinant];
  let [signal, noise] = [0, 0];
  part.forEach((value, index) => {
    const fit = a * Math.sin(angle(index)) + b * Math.cos(angle(index));
    signal += fit * fit;
    noise += (value - fit) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}
