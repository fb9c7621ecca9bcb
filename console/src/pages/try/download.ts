/** Has the browser save a text as a file: byte for byte, without a byte order mark of its own. */
export function download(name: string, text: string, type = 'application/json'): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has read it by then, or has begun to.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
