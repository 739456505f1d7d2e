// What is known of sandboxes, the functions that run ffmpeg, in more than one place: where they are set up, asked and paid.

/** `video`: each video has machines of its own, by Lambda's tenant isolation; `none`: they serve one after another. */
export const SANDBOX_ISOLATIONS = ['video', 'none'] as const;
export type SandboxIsolation = (typeof SANDBOX_ISOLATIONS)[number];

/** The most that a new account can have. */
export const DEFAULT_SANDBOX_MEMORY_MB = 3008;

/** Of those who wait for them and pass on what they make: of one, and ahead of time of many, which store by themselves. */
export const BROKER_MEMORY_MB = 1024;
export const PREWARM_BROKER_MEMORY_MB = 1024;
