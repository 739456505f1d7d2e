// Dolby Vision: which of its profiles others than Dolby's decoders can show.

/** Its record, as ffprobe prints it among what goes beside a stream. */
export interface DolbyVisionRecord {
  dv_profile?: number;
  dv_bl_signal_compatibility_id?: number;
}

/** Of these a layer is an ordinary picture (Dolby Vision Profiles and Levels, table 1), whatever the record says. */
const WITH_ORDINARY_LAYER = [4, 7, 8, 9];

/**
 * Whether a picture shows its colours without Dolby's decoder. Where the record names no signal that the base layer is
 * compatible with (profile 5, and 10 and 20 of the same making) that layer is in IPTPQc2, which only looks like YUV: it
 * would be shown in green and violet.
 */
export function isShowable({ side_data_list = [] }: { side_data_list?: DolbyVisionRecord[] }): boolean {
  const { dv_profile, dv_bl_signal_compatibility_id } =
    side_data_list.find(({ dv_profile }) => dv_profile !== undefined) ?? {};
  if (dv_profile === undefined || WITH_ORDINARY_LAYER.includes(dv_profile)) return true;
  return Boolean(dv_bl_signal_compatibility_id);
}
