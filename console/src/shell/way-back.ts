/** Where somebody was going who signs in elsewhere: the provider sends everybody back to the beginning. */
const WAY = 'aftersign.way';

/** Below the console's root, with its parameters. */
function here(): string {
  const { pathname, search } = location;
  const base = new URL(document.baseURI).pathname;
  return pathname.startsWith(base) ? `/${pathname.slice(base.length)}${search}` : '/';
}

export function rememberWay(): void {
  const way = here();
  if (way !== '/' && !way.startsWith('/?')) sessionStorage.setItem(WAY, way);
}

/** The way that was remembered, once; null: none, or one is somewhere already. */
export function takeWay(): string | null {
  const way = sessionStorage.getItem(WAY);
  sessionStorage.removeItem(WAY);
  return here() === '/' ? way : null;
}

/** The stable code of why the provider's sign-in failed, which the service sends the browser back with; null: it did not. */
export function refusalOfProvider(): string | null {
  return new URLSearchParams(location.search).get('problem');
}

/** Out of the address with it: it was said, and the page can be sent to somebody. */
export function forgetRefusal(): void {
  const { pathname, hash } = location;
  const search = new URLSearchParams(location.search);
  if (!search.has('problem')) return;
  search.delete('problem');
  history.replaceState(null, '', `${pathname}${search.size > 0 ? `?${search.toString()}` : ''}${hash}`);
}
