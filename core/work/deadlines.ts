// How long before its function is ended what does something ends by itself, in seconds: those who hand out work, make it and
// store it have to agree.

/**
 * A chunk: for packing and storing what is whole of it, which is half a gigabyte at most (core/work/work.ts), and for hearing
 * of it. What is made ahead of time ends all together.
 */
export const STORING_SECONDS = 60;

/** A picture that somebody waits for: for storing it, or hearing that there was no time for it. */
export const TELLING_SECONDS = 10;

/** With less time left nothing is handed out: a little longer than what has been can last. */
export const LEAST_SECONDS = STORING_SECONDS + 8;
