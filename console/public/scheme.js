// Before the first paint: light or dark as it was chosen here, else as the system has it. A file of its own, because the
// page's policy lets nothing run that stands in the page. The name of the choice is that of Mantine.
try {
  const chosen = localStorage.getItem('mantine-color-scheme-value');
  const dark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  const language = localStorage.getItem('aftersign.language') ?? navigator.language;
  document.documentElement.lang = language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
} catch {
  // Without storage the page begins as the system has it.
}
