// Buttons, sliders and select boxes of the browser's own, so that keyboard, touch and screen reader know them.

import { fill, h, icon } from '../../dom.ts';

export const control = (name: string, label: string): HTMLButtonElement =>
  h('button', {
    type: 'button',
    class: 'control',
    'data-control': name,
    'aria-label': label,
  }) as HTMLButtonElement;

export const choice = (label: string): HTMLSelectElement =>
  h('select', { class: 'control choice', 'aria-label': label, hidden: true }) as HTMLSelectElement;

export const option = (value: number, words: string): HTMLElement => h('option', { value }, words);

export const slider = (
  className: string,
  label: string,
  max: number,
  step: number | 'any',
): HTMLInputElement =>
  h('input', {
    type: 'range',
    class: className,
    'aria-label': label,
    min: 0,
    max,
    step,
    value: 0,
  }) as HTMLInputElement;

/** What the button does now. */
export function label(button: HTMLButtonElement, symbol: string, words: string): void {
  if (button.dataset['symbol'] === symbol) return;
  button.dataset['symbol'] = symbol;
  button.setAttribute('aria-label', words);
  button.title = words;
  fill(button, icon(symbol));
}
