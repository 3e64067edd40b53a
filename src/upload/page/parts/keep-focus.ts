/**
 * Whoever works by keyboard stays near where they were when what they pressed goes away, as a model's row does once it is deleted: the focus
 * goes to what else the row has, or to the heading of its section, and not back to the top of the page.
 */
export function keepFocus(page: HTMLElement): void {
  let last: {
    readonly element: Element;
    readonly row: Element | null;
    readonly section: Element | null;
  } | null = null;
  page.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof Element)) return;
    last = { element: target, row: target.closest('tr'), section: target.closest('main > section') };
  });
  new MutationObserver(() => {
    if (last === null || last.element.isConnected || document.activeElement !== document.body) return;
    const { row, section } = last;
    last = null;
    const near =
      (row?.isConnected && [...row.querySelectorAll('button')].at(-1)) ||
      (section?.isConnected && section.querySelector('h2')) ||
      page.querySelector('main');
    if (!near) return;
    if (near.tabIndex < 0) near.tabIndex = -1;
    near.focus();
  }).observe(page, { childList: true, subtree: true });
}
