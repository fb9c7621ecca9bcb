import { VisuallyHidden } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'wouter';

/**
 * Of another page: the focus goes to its content, the window to its top (not on the way back: browsers know where that
 * was), and its title is read out as soon as it is known.
 */
export function Announcer() {
  const [path] = useLocation();
  const [title, setTitle] = useState('');
  const seen = useRef(path);
  const back = useRef(false);
  useEffect(() => {
    const went = (): void => {
      back.current = true;
    };
    window.addEventListener('popstate', went);
    return () => {
      window.removeEventListener('popstate', went);
    };
  }, []);
  useEffect(() => {
    if (seen.current === path) return;
    seen.current = path;
    document.getElementById('content')?.focus({ preventScroll: true });
    if (!back.current) window.scrollTo(0, 0);
    back.current = false;
  }, [path]);
  useEffect(() => {
    const watch = new MutationObserver(() => {
      setTitle(document.title.replace(/ · Aftersign$/, ''));
    });
    watch.observe(document.head, { childList: true, subtree: true, characterData: true });
    return () => {
      watch.disconnect();
    };
  }, []);
  return (
    <VisuallyHidden role="status" aria-live="polite">
      {title}
    </VisuallyHidden>
  );
}
