/** What has no place in a mail that is looked at: it would load, run or lead away. */
const LEFT_OUT = 'script, noscript, iframe, frame, object, embed, link, base, meta, template';

/** A tag as far as its end, with what is quoted in it. */
const TAG = /<[a-z](?:[^>"']|"[^"]*"|'[^']*')*>/gi;

/** Under another name: browsers report an attribute `style` that the policy refuses as soon as it is parsed. */
function withStylesRenamed(html: string): string {
  return html.replace(TAG, (tag) => tag.replace(/([\s"'/])style(?=\s*=)/gi, '$1data-style'));
}

/**
 * The HTML of a mail as the document of a closed frame. The frame and the policy of the page stop whatever would run or
 * load; what they would stop is taken out as well, so that nothing is tried. Styles are gathered in a sheet with the
 * page's nonce: without it the browser would ignore them.
 */
export function mailDocument(html: string, nonce: string): string {
  const mail = new DOMParser().parseFromString(withStylesRenamed(html), 'text/html');
  for (const one of mail.querySelectorAll(LEFT_OUT)) one.remove();
  const rules: string[] = [];
  for (const element of mail.querySelectorAll('*')) {
    for (const { name, value } of [...element.attributes]) {
      const kept =
        /^(?:class|id|dir|lang|align|valign|bgcolor|color|width|height|border|cell(?:padding|spacing)|(?:col|row)span|alt|title|start|type)$/;
      if (name === 'data-style') {
        element.removeAttribute(name);
        element.classList.add(`mail-${rules.length}`);
        rules.push(`.mail-${rules.length}{${value}}`);
      } else if (name === 'src' && element instanceof HTMLImageElement && /^data:image\//i.test(value))
        continue;
      // Where a link leads can be read, not followed.
      else if (name === 'href') {
        element.removeAttribute('href');
        element.setAttribute('title', value);
        element.classList.add('mail-link');
      } else if (!kept.test(name)) element.removeAttribute(name);
    }
  }
  for (const style of mail.querySelectorAll('style')) {
    rules.push(style.textContent);
    style.remove();
  }
  const sheet = mail.createElement('style');
  sheet.setAttribute('nonce', nonce);
  // No `<`: it could end the sheet before its end.
  sheet.textContent = [
    ':root{color-scheme:light;background:#fff}body{margin:12px;font:14px/1.5 sans-serif;overflow-wrap:anywhere}',
    '.mail-link{color:#1864ab;text-decoration:underline}',
    ...rules,
  ]
    .join('\n')
    .replaceAll('<', '\\3c ');
  mail.head.prepend(sheet);
  return `<!doctype html>${mail.documentElement.outerHTML}`;
}
