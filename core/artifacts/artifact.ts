// What viewers can ask for, as data.

export type Artifact =
  | { kind: 'multivariant' }
  | { kind: 'playlist'; rev: string; rendition: string }
  | SegmentArtifact
  | InitArtifact
  | Still
  | { kind: 'storyboard'; rev: Revision };

export type ArtifactOf<Kind extends Artifact['kind']> = Extract<Artifact, { kind: Kind }>;

export interface SegmentArtifact {
  kind: 'segment';
  rev: string;
  rendition: string;
  index: number;
  /** Of the rendition's format. */
  extension: string;
}

/** What a player reads before the first segment, where the rendition's format has such a thing. */
export interface InitArtifact {
  kind: 'init';
  rev: string;
  rendition: string;
  name: string;
}

/** A picture: of the whole film, of one moment, or a sheet of the storyboard. */
export type Still =
  | { kind: 'poster'; rev: Revision }
  | { kind: 'thumb'; rev: Revision; seconds: number }
  | { kind: 'sheet'; rev: string; index: number };

/** A plan's hash, or whichever revision is the current one: an address that lasts, for pages that were given it. */
export type Revision = string | typeof CURRENT;
export const CURRENT = 'current';
