// Debian's Chromium, which decodes H.264 and AAC, as a person would use it but without a window.

import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      // Without these it looks for its maker's hosts again and again.
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
  // Half a minute, as usual, is too short for a film to be made on a slow machine; this still tells what never came.
  browser.on('context', (context) => context.setDefaultTimeout(1_200_000));
  return browser;
}
