// Numbers as people read them.

/** `0.379` → `37 %`. Rounded down: 100 % is said when it is true. */
export const percentText = (share: number): string =>
  `${Math.floor(Math.min(1, Math.max(0, share)) * 100)} %`;

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `9_420_000` → `9.4 MB`; thousands, as file managers and network speeds count. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

export const rateText = (bytesPerSecond: number): string => `${sizeText(bytesPerSecond)}/s`;

/** A duration as players show it: `0:07`, `12:34`, `1:02:03`. */
export function clockText(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A duration for a screen reader, which would read `1:02` as a time of day. */
export function spokenDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ];
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`);
  return said.join(' ') || '0 seconds';
}

/** Coarser the further away: a guess about the network is not exact to the second. */
export function timeLeftText(seconds: number): string {
  if (seconds < 50) return `${Math.max(1, Math.ceil(seconds))} s left`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/** `Today, 14:05`, `Yesterday, 09:30`, `3 Mar 2026`. */
export function dateText(date: Date, now: Date): string {
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (isSameDay(date, now)) return `Today, ${time}`;
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (isSameDay(date, yesterday)) return `Yesterday, ${time}`;
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

const isSameDay = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString();

/** `90`, `90s`, `1m30s`, `1h2m3s`, `1:30`: how links say where to begin. 0 for anything else. */
export function startSeconds(text: string | null): number {
  const units = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?$/.exec(text ?? '');
  if (units) return Number(units[1] ?? 0) * 3600 + Number(units[2] ?? 0) * 60 + Number(units[3] ?? 0);
  if (!/^\d+(:\d{1,2}){1,2}$/.test(text ?? '')) return 0;
  return text!.split(':').reduce((seconds, part) => seconds * 60 + Number(part), 0);
}

/** The path of an address on this site, so that it is the same site under whatever name the page was opened. */
export const pathOf = (url: string): string => new URL(url, 'http://here').pathname;
