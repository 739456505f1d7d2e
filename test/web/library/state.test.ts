import type { Video } from '../../../web/api.ts';
import type { SavedUpload } from '../../../web/upload/saved-uploads.ts';
import * as transitions from '../../../web/library/state.ts';
import { INITIAL, STARTING } from '../../../web/library/state.ts';
import type { State, Upload } from '../../../web/library/state.ts';

const PROBLEM = { sentence: 'It broke.', advice: 'Mend it.' };

const upload = (key: number, change: Partial<Upload> = {}): Upload => ({
  ...transitions.newUpload(key, undefined),
  name: `film ${key}.mp4`,
  sizeBytes: 100,
  ...change,
});

const video = (id: string, change: Partial<Video> = {}): Video => ({
  id,
  title: `${id}.mp4`,
  state: 'processing',
  playable: true,
  progress: 0,
  durationSeconds: 40,
  playbackUrl: `/v/${id}/master.m3u8`,
  posterUrl: null,
  storyboardUrl: null,
  renditions: [],
  sizeBytes: 100,
  createdAt: '2026-03-01T12:00:00.000Z',
  notices: [],
  ...change,
});

const withUploads = (...uploads: Upload[]): State => transitions.uploadsAdded(INITIAL, uploads);
const withVideos = (...videos: Video[]): State => transitions.pageLoaded(INITIAL, { videos });

test('an upload is shown by a name that stays in its order; the file keeps its own', () => {
  const file = new File(['x'], 'photo\u202Egpj.exe');
  expect(transitions.newUpload(1, file)).toMatchObject({ name: 'photogpj.exe', file: { name: file.name } });
  expect(transitions.newUpload(1, new File(['x'], '\u202E')).name).toBe('Untitled');
  const saved = { name: 'photo\u202Egpj.exe', sizeBytes: 1 } as SavedUpload;
  expect(transitions.unfinishedUpload(1, saved, 0)).toMatchObject({ name: 'photogpj.exe', saved });
});

describe('the stage', () => {
  test('goes to the first file dropped, which plays there when it is done', () => {
    const dropped = withUploads(upload(1), upload(2));
    expect(dropped.stage).toEqual({ kind: 'upload', key: 1 });
    const done = transitions.uploadDone(dropped, 1, video('a'));
    expect(done.stage).toEqual({ kind: 'video', id: 'a' });
    expect(done.uploads.map(({ key }) => key)).toEqual([2]);
  });

  test('is not taken from what plays by the other files of a drop', () => {
    const playing = transitions.uploadDone(withUploads(upload(1), upload(2)), 1, video('a'));
    expect(transitions.uploadDone(playing, 2, video('b')).stage).toEqual({ kind: 'video', id: 'a' });
  });

  test('goes to a file dropped while another video plays', () => {
    const playing = transitions.videoChosen(withVideos(video('a')), 'a');
    expect(transitions.uploadsAdded(playing, [upload(1)]).stage).toEqual({ kind: 'upload', key: 1 });
  });

  test('is left to the next file when one fails, and tells of the failure when there is none', () => {
    const first = transitions.uploadFailed(withUploads(upload(1), upload(2)), 1, PROBLEM);
    expect(first.stage).toEqual({ kind: 'upload', key: 2 });
    const second = transitions.uploadFailed(first, 2, PROBLEM);
    expect(second.stage).toEqual({ kind: 'upload', key: 2 });
    expect(transitions.stageProblem(second)).toBe(PROBLEM);
  });

  test('goes to a new file after a failure', () => {
    const failed = transitions.uploadFailed(withUploads(upload(1)), 1, PROBLEM);
    expect(transitions.uploadsAdded(failed, [upload(2)]).stage).toEqual({ kind: 'upload', key: 2 });
  });

  test('is empty after the only upload is cancelled or its failure dismissed', () => {
    expect(transitions.uploadCancelled(withUploads(upload(1)), 1)).toMatchObject({
      stage: { kind: 'empty' },
      uploads: [],
    });
    const failed = transitions.uploadFailed(withUploads(upload(1)), 1, PROBLEM);
    expect(transitions.uploadCancelled(failed, 1)).toMatchObject({ stage: { kind: 'empty' }, uploads: [] });
  });

  test('stays with a paused upload, while the next file goes', () => {
    const paused = transitions.uploadPaused(withUploads(upload(1), upload(2)), 1);
    expect(paused.stage).toEqual({ kind: 'upload', key: 1 });
    expect(transitions.nextUpload(paused)?.key).toBe(2);
  });

  test('is empty after its video is deleted', () => {
    const playing = transitions.videoChosen(withVideos(video('a'), video('b')), 'a');
    const gone = transitions.videoGone(playing, 'a');
    expect(gone.stage).toEqual({ kind: 'empty' });
    expect(gone.videos.map(({ id }) => id)).toEqual(['b']);
  });
});

test('paused, an upload shows what it will go on from', () => {
  const saved = { id: 'x' } as SavedUpload;
  const state = withUploads(upload(1, { sentBytes: 50, saved }), upload(2, { sentBytes: 50 }));
  const paused = transitions.uploadPaused(transitions.uploadPaused(state, 1), 2);
  expect(paused.uploads.map(({ sentBytes }) => sentBytes)).toEqual([50, 0]);
});

test('uploads go one after another, in the order they were dropped', () => {
  const state = withUploads(upload(1, { phase: 'failed' }), upload(2), upload(3));
  expect(transitions.nextUpload(state)?.key).toBe(2);
  expect(transitions.nextUpload(transitions.uploadChanged(state, 2, { phase: 'sending' }))).toBeUndefined();
});

describe('what the player is to play', () => {
  test.each([
    ['a video that is being prepared, before its plan is known', { playable: false }, true],
    ['a video whose upload is not finished', { state: 'waiting', playable: false }, false],
    ['a refused file', { state: 'failed', playable: false }, false],
    ['a video of which not all could be prepared', { state: 'failed', playable: true }, true],
  ] as const)('%s', (_which, change, plays) => {
    const state = transitions.videoChosen(withVideos(video('a', change)), 'a');
    expect(transitions.videoToPlay(state) !== undefined).toBe(plays);
    expect(transitions.stageProblem(state) === undefined).toBe(plays);
  });

  test('a refused file shows the sentence of the API, whatever the player said before', () => {
    const error = { code: 'NOT_MEDIA', message: 'Not a video.' } as const;
    const state = transitions.videoChosen(
      withVideos(video('a', { state: 'failed', playable: false, error })),
      'a',
    );
    const player = { ...STARTING, phase: 'failed', problem: PROBLEM } as const;
    expect(transitions.stageProblem({ ...state, player })?.sentence).toBe('Not a video.');
  });
});

describe('the list', () => {
  const at = (second: number) => ({ createdAt: `2026-03-01T12:00:0${second}.000Z` });

  test('has each video once, newest first, as it was last seen', () => {
    const known = withVideos(video('c', at(3)), video('b', at(2)));
    const next = transitions.pageLoaded(known, {
      videos: [video('b', { ...at(2), state: 'ready' }), video('a', at(1))],
    });
    expect(next.videos.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'c processing',
      'b ready',
      'a processing',
    ]);
  });

  test('leaves out what this page is uploading', () => {
    const state = { ...withVideos(video('a'), video('b')), uploads: [upload(1, { id: 'a' })] };
    expect(transitions.listedVideos(state).map(({ id }) => id)).toEqual(['b']);
  });
});

describe('what is asked for next', () => {
  const pollsOf = (state: State, count: number): (string | undefined)[] => {
    const asked = new Set<string>();
    return Array.from({ length: count }, () => {
      const id = transitions.videoToPoll(state, asked);
      if (id === undefined) return undefined;
      asked.delete(id);
      asked.add(id);
      return id;
    });
  };

  test('is nothing when all is ready, failed, or uploaded elsewhere', () => {
    const states = ['ready', 'failed', 'waiting'] as const;
    expect(pollsOf(withVideos(...states.map((state) => video(state, { state }))), 1)).toEqual([undefined]);
  });

  test('is the only video that is being prepared, each time', () => {
    expect(pollsOf(transitions.videoChosen(withVideos(video('a')), 'a'), 2)).toEqual(['a', 'a']);
    expect(pollsOf(withVideos(video('a')), 2)).toEqual(['a', 'a']);
  });

  test('is every other time the one that is watched', () => {
    const state = transitions.videoChosen(withVideos(video('a'), video('b'), video('c')), 'a');
    expect(pollsOf(state, 8)).toEqual(['a', 'b', 'a', 'c', 'a', 'b', 'a', 'c']);
  });
});

describe('in words', () => {
  test.each([
    [{ progress: 0 }, STARTING, 'Starting …'],
    [{ progress: 0.379 }, STARTING, 'Preparing all qualities: 37 %'],
    [{ progress: 1 }, STARTING, 'Preparing all qualities: 99 %'], // measuring comes last
    [{ state: 'ready' }, STARTING, 'Ready'],
    [{ state: 'failed', playable: false }, STARTING, 'Cannot be played'],
  ] as const)('%j is %s', (change, player, text) => {
    expect(transitions.statusText(video('a', change), player)).toBe(text);
  });

  test('progress is spoken in quarters', () => {
    const sending = (sentBytes: number) =>
      transitions.announcement(withUploads(upload(1, { phase: 'sending', sentBytes })));
    expect([sending(0), sending(24), sending(25), sending(100)]).toEqual([
      'Uploading film 1.mp4: 0 %.',
      'Uploading film 1.mp4: 0 %.',
      'Uploading film 1.mp4: 25 %.',
      'Uploading film 1.mp4: 100 %.',
    ]);
    const playing = transitions.videoChosen(withVideos(video('a', { progress: 0.8 })), 'a');
    expect(transitions.announcement({ ...playing, player: { ...STARTING, phase: 'started' } })).toBe(
      'a.mp4 plays. Preparing all qualities: 75 %.',
    );
  });
});
