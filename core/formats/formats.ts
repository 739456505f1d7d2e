// All formats that renditions may be of, and through them all codecs. One more is a file beside this one, a line here, and
// a rendition of it in core/plan/publication.ts.

import type { AnyCodec, Codec } from '../codecs/codec.ts';
import type { Rendition, RenditionOf } from '../plan/renditions.ts';
import type { Format } from './format.ts';
import { MPEG_TS } from './mpeg-ts.ts';
import { PACKED_AUDIO } from './packed-audio.ts';

export const FORMATS: readonly Format[] = [MPEG_TS, PACKED_AUDIO];

/** @throws Error for what no plan of ours names: a record's schema lets nothing else in. */
export function formatOf({ name, format }: Pick<Rendition, 'name' | 'format'>): Format {
  const found = FORMATS.find((own) => own.name === format);
  if (!found) throw new Error(`${name} is of a format that is not known: ${format}`);
  return found;
}

/** @throws Error where the rendition's format does not hold its codec */
export function codecOf<Kind extends Rendition['kind']>(rendition: RenditionOf<Kind>): Codec<Kind> {
  const { kind, name, codec } = rendition as Rendition;
  const found = formatOf(rendition as Rendition).codecs.find(
    (own) => own.name === codec && own.kind === kind,
  );
  if (!found) throw new Error(`${name} is of a codec that its format does not hold: ${codec}`);
  return found as AnyCodec as Codec<Kind>;
}

/** The one whose segments end so; undefined where there is none. */
export const formatByExtension = (extension: string): Format | undefined =>
  FORMATS.find((own) => own.extension === extension);

/** The one whose init segment is named so. */
export const formatByInit = (name: string): Format | undefined =>
  FORMATS.find((own) => own.init?.name === name);
