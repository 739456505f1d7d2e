// What the drawing of all parts of the page uses.

import { h, icon } from '../dom.ts';
import type { Child } from '../dom.ts';
import type { Problem } from '../problems.ts';

export const byId = <T extends HTMLElement = HTMLElement>(id: string): T => document.getElementById(id) as T;

export const button = (words: string, action: string, id?: string | number): HTMLElement =>
  h('button', { class: 'button', type: 'button', 'data-action': action, 'data-id': id }, words);

export const iconButton = (
  symbol: string,
  label: string,
  action: string,
  id?: string | number,
): HTMLElement =>
  h(
    'button',
    { class: 'icon-button', type: 'button', 'data-action': action, 'data-id': id, 'aria-label': label },
    icon(symbol),
  );

export const problemText = ({ sentence, advice }: Problem): HTMLElement =>
  h('p', { class: 'problem' }, h('strong', {}, sentence), ' ', advice);

/** Without a share: something goes on, nobody knows how far it is. */
export const progressBar = (share: number | undefined, label: string): HTMLElement =>
  h('progress', { max: 1, value: share === undefined ? undefined : share.toFixed(4), 'aria-label': label });

export const metaLine = (facts: Child[]): HTMLElement =>
  h('p', { class: 'meta' }, ...facts.filter(Boolean).map((fact) => h('span', {}, fact)));
