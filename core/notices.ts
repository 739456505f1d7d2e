// What a video that plays lacks of its source, and why. Nothing that a careful player would have shown is missing without
// one of these.

/** The closed list. The page and the API show the sentence, or one that says more. */
export const NOTICE_SENTENCES = {
  TRACK_LEFT_OUT:
    'A track was left out: nothing of it was found, or this service cannot decode its format (codec).',
  ENDS_EARLY: 'The file holds less than it says it does; what it holds is shown.',
  MEDIA_LOST: 'Parts of a track cannot be read or decoded: pictures are held there, and sound is silent.',
} as const;

export type NoticeCode = keyof typeof NOTICE_SENTENCES;
export const NOTICE_CODES = Object.keys(NOTICE_SENTENCES) as [NoticeCode, ...NoticeCode[]];

export interface Notice {
  code: NoticeCode;
  /** The plan's name of the track (`video-0`, `audio-0`); null where it is of none. */
  track: string | null;
  /** For people: one sentence, without a path or an address. */
  message: string;
}

export const notice = (
  code: NoticeCode,
  track: string | null,
  message: string = NOTICE_SENTENCES[code],
): Notice => ({ code, track, message });
