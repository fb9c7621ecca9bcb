import { localeOf } from '../../parts/moment.js';
import { useLanguage } from '../../words/words.js';

/** The service counts states so far, and says no more of what is beyond. */
const COUNTED = 100_000;

/** How counts are written: grouped; `100,000+` where the service has stopped counting; – when it is not known yet. */
export function useCount(): (count: number | null) => string {
  const { language } = useLanguage();
  const format = new Intl.NumberFormat(localeOf(language));
  return (count) => (count === null ? '–' : `${format.format(count)}${count >= COUNTED ? '+' : ''}`);
}
