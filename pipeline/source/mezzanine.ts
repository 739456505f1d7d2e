// Copies a source into its mezzanine in one pass, straight into the store: neither this machine's memory nor its disk
// ever holds more than a few pieces of it. Until the last piece is stored nothing is there; doing it twice stores the
// same.

import type { Readable } from 'node:stream';
import { run } from '../../machine/ffmpeg.ts';
import type { ServedSource } from '../../machine/range-server.ts';
import { MAX_PARTS } from '../../core/aws-limits.ts';
import { FfmpegError, SourceError } from '../../core/errors.ts';
import { mezzanineArguments } from '../../core/source/source-arguments.ts';
import { mezzanineKey, mezzanineRecordKey } from '../../core/artifacts/keys.ts';
import { isCopiedHere } from '../../core/source/bare/copier.ts';
import { matroskaIndexer } from '../../core/source/matroska.ts';
import type { Probe } from '../../core/source/probe.ts';
import { MEZZANINE } from '../../core/records/mezzanine.ts';
import type { Mezzanine } from '../../core/records/mezzanine.ts';
import { copyOfBareStream } from './bare-stream.ts';
import { unlessDeleted } from '../life/delete-video.ts';
import { logFailure } from '../observe.ts';
import { readRecord, updateRecord } from '../store.ts';
import type { ObjectUpload } from '../store.ts';
import type { World } from '../world.ts';

// More than S3 wants of each piece, and fewer of them than it takes.
const LEAST_PIECE_BYTES = 8 * 1024 * 1024;
const MOST_PIECES = 0.9 * MAX_PARTS;
// Sound stored losslessly may make a mezzanine larger than its source.
const MOST_GROWTH = 3;

// Reading is bounded by the network and by the slowest of disks; a function's own limit ends it as well.
const STARTUP_SECONDS = 60;
const LEAST_BYTES_PER_SECOND = 4 * 1024 * 1024;

interface Source {
  probe: Probe;
  sizeBytes: number;
  etag: string;
}

/**
 * A source's mezzanine: the one that was made when the video was first planned, or one made now.
 * @throws SourceError DAMAGED where not one picture and no sound could be copied; FfmpegError
 */
export async function mezzanineOf(
  id: string,
  served: ServedSource,
  source: Source,
  world: World,
): Promise<Mezzanine> {
  const { etag } = source;
  const [known, stored] = await Promise.all([
    readRecord(world.media, MEZZANINE, mezzanineRecordKey(id, etag)),
    world.media.head(mezzanineKey(id, etag)),
  ]);
  if (known && stored?.sizeBytes === known.sizeBytes) return known;
  const made = await makeMezzanine(id, served, source, world);
  await updateRecord(world.media, MEZZANINE, mezzanineRecordKey(id, etag), () => made);
  await unlessDeleted(id, world);
  return made;
}

async function makeMezzanine(
  id: string,
  { url: sourceUrl, failure }: ServedSource,
  { probe, sizeBytes, etag }: Source,
  world: World,
): Promise<Mezzanine> {
  const { binaries } = world.tools;
  const upload = await world.media.upload(mezzanineKey(id, etag), { contentType: 'video/x-matroska' });
  const pieceBytes = Math.max(LEAST_PIECE_BYTES, Math.ceil((sizeBytes * MOST_GROWTH) / MOST_PIECES));
  const indexer = matroskaIndexer();
  const pieces = inPieces(upload, pieceBytes);
  try {
    const timeoutSeconds = STARTUP_SECONDS + sizeBytes / LEAST_BYTES_PER_SECOND;
    const keep = async (copy: AsyncIterable<Uint8Array>) => {
      for await (const bytes of copy) {
        for (const piece of indexer.push(bytes)) await pieces.add(piece, indexer.headBytes()!);
      }
    };
    const copied = isCopiedHere(probe.format)
      ? keep(copyOfBareStream(sourceUrl, probe, timeoutSeconds))
      : run(binaries.ffmpegPath, mezzanineArguments(sourceUrl, probe), {
          task: 'copy of the source into a mezzanine',
          line: 'reading',
          timeoutSeconds,
          maxFileBytes: 0,
          maxMemoryBytes: world.settings.encodeMemoryBytes,
          output: (stdout: Readable) => keep(stdout as AsyncIterable<Buffer>),
        });
    await copied.catch((error: unknown) => {
      if (failure()) throw failure();
      // Where a source is damaged ffmpeg may give up; what came before that is worth playing.
      if (!(error instanceof FfmpegError) || error.signal) throw error;
      if (indexer.headBytes() === undefined) throw new SourceError('DAMAGED');
    });
    // What was cut short by the store is no copy.
    if (failure()) throw failure();
    if (indexer.headBytes() === undefined) throw new SourceError('DAMAGED');
    const { head, index, tracks } = indexer.end();
    if (tracks.length === 0) throw new SourceError('DAMAGED');
    const stored = await pieces.complete(head, index);
    return { sizeBytes: stored, tracks };
  } catch (error) {
    // Where the store is away its own rules remove what lies there unfinished.
    await upload.abort().catch((unfinished: unknown) => logFailure(id, unfinished));
    throw error;
  }
}

/** Collects bytes into pieces of one size. The first waits for the head, which is known last. */
function inPieces(upload: ObjectUpload, pieceBytes: number) {
  let [waiting, waitingBytes]: [Uint8Array[], number] = [[], 0];
  let first: Uint8Array | undefined;
  let [next, total] = [2, 0];
  let underWay: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    const piece = Buffer.concat(waiting);
    [waiting, waitingBytes] = [[], 0];
    total += piece.length;
    if (!first) {
      first = piece;
      return;
    }
    // One is on its way while the next is being filled.
    await underWay;
    underWay = upload.part(next, piece);
    underWay.catch(() => undefined); // reported when the next one is to go
    next += 1;
  }

  return {
    async add(bytes: Uint8Array, headBytes: number): Promise<void> {
      waiting.push(bytes);
      waitingBytes += bytes.length;
      if (waitingBytes + (first ? 0 : headBytes) >= pieceBytes) await flush();
    },
    async complete(head: Uint8Array, index: Uint8Array): Promise<number> {
      waiting.push(index);
      await flush();
      await underWay;
      await upload.part(1, Buffer.concat([head, first!]));
      await upload.complete();
      return total + head.length;
    },
  };
}
