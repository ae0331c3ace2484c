import type { Person } from './person';

/** The least side of what a finger taps, in CSS pixels. */
const fingertip = 44;

/** What can be tapped on the page and is smaller than a fingertip, each in a line. Links within a text are none. */
export async function smallTargets({ page }: Person): Promise<string[]> {
  return page.evaluate((least) => {
    const found: string[] = [];
    const tappable = 'button, a[href], input, select, textarea, [role=button], [role=radio], [role=switch], [role=menuitem], [role=option]';
    for (const element of document.querySelectorAll<HTMLElement>(tappable)) {
      if (element.closest('.maplibregl-ctrl, [aria-hidden=true], [hidden], [inert]')) continue;
      const style = getComputedStyle(element);
      if (element.tagName === 'A' && style.display === 'inline') continue; // part of a sentence
      if (style.position === 'absolute' && element.getBoundingClientRect().bottom < 0) continue; // comes with the keyboard
      let box = (element.closest('.mantine-Input-input') ?? element).getBoundingClientRect(); // a field with its border
      if (element instanceof HTMLInputElement && /radio|checkbox|file/.test(element.type)) {
        const label = element.labels?.[0];
        if (!label) continue; // a card or a button takes the tap
        box = label.getBoundingClientRect();
      }
      if (box.width === 0 || box.height === 0 || style.visibility === 'hidden') continue;
      if (Math.round(box.height) < least || Math.round(box.width) < least) {
        const name = element.getAttribute('aria-label') ?? (element.textContent.trim() || element.id || element.className);
        found.push(`${element.tagName.toLowerCase()} "${name}" ${Math.round(box.width)}x${Math.round(box.height)}`);
      }
    }
    return found;
  }, fingertip);
}

/** What the toasts that are there lie over: the header, dialogs, panels and buttons. */
export async function coveredByToasts({ page }: Person): Promise<string[]> {
  return page.evaluate(() => {
    const toasts = [...document.querySelectorAll('.mantine-Notification-root')].map((toast) => ({ toast, box: toast.getBoundingClientRect() }));
    const others = document.querySelectorAll('header, main section[aria-label], main button, [role=dialog]');
    return toasts.flatMap(({ toast, box }) => [...others].filter((other) => {
      if (toast.contains(other)) return false;
      const o = other.getBoundingClientRect();
      return o.width > 0 && box.left < o.right - 1 && o.left < box.right - 1 && box.top < o.bottom - 1 && o.top < box.bottom - 1;
    }).map((other) => `${toast.textContent} over ${other.tagName.toLowerCase()} ${other.getAttribute('aria-label') ?? other.textContent}`));
  });
}

/** How far the page is wider than the window, in pixels. */
export async function overflow({ page }: Person): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
