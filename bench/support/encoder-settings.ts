// The encoder settings that bench/quality compares: the pipeline's own options, some of them replaced. Level, caps and GOPs
// stay what they are.

import { PRESENT_RECIPE } from '../../core/recipes/present.ts';

export interface EncoderSetting {
  name: string;
  /** ffmpeg's options, as a recipe has them; any CRF takes the place of theirs. */
  template: readonly string[];
}

const { encoder, thoroughEncoder } = PRESENT_RECIPE.h264;

/** What a viewer waits for is made so. All others are measured against it, at its own CRF. */
export const QUICK: EncoderSetting = { name: 'quick', template: encoder };
export const QUICK_CRF = Number(valueOf(encoder, '-crf'));

const THOROUGH: EncoderSetting = { name: 'thorough', template: thoroughEncoder ?? encoder };
const usual = ['faster', 'fast'].map((preset) => setting(preset, preset, ''));
const further = ['medium', 'slow'].map((preset) => setting(preset, preset, ''));
/** What each part of it brings: on top of what is quick, or left out. */
const parts = [
  setting('trellis 1', 'veryfast', 'trellis=1'),
  setting('aq-mode 2', 'veryfast', 'aq-mode=2'),
  setting('lookahead 40', 'veryfast', 'rc-lookahead=40'),
  setting('subme 6', 'veryfast', 'subme=6:chroma-qp-offset=2'),
];

/** What is made ahead of time, and how many presets beside it. */
export const settingsToTry = (presets: 'none' | 'usual' | 'all'): readonly EncoderSetting[] => [
  THOROUGH,
  ...(presets === 'none' ? [] : usual),
  ...(presets === 'all' ? [...further, ...parts] : []),
];

/** `name:preset:options`, as the command line has it, options with commas between them. */
export function settingFrom(text: string): EncoderSetting {
  const [name, preset, options = ''] = text.split(':', 3);
  if (!name || !preset)
    throw new Error(
      `"${text}" is no setting; one is name:preset:options, as mine:veryfast:subme=6,trellis=1.`,
    );
  return setting(name, preset, options.replaceAll(',', ':'));
}

/** @param options x264's own, as `-x264-params` takes them */
function setting(name: string, preset: string, options: string): EncoderSetting {
  const own = [valueOf(encoder, '-x264-params'), options].filter(Boolean).join(':');
  const template = withValue(encoder, '-preset', preset);
  return { name, template: own ? withValue(template, '-x264-params', own) : template };
}

export const atCrf = ({ template }: EncoderSetting, crf: number): string[] =>
  withValue(template, '-crf', String(crf));

function valueOf(args: readonly string[], option: string): string | undefined {
  const at = args.indexOf(option);
  return at < 0 ? undefined : args[at + 1];
}

function withValue(args: readonly string[], option: string, value: string): string[] {
  const at = args.indexOf(option);
  return at < 0
    ? [...args, option, value]
    : args.map((argument, index) => (index === at + 1 ? value : argument));
}
