/** What the General Office of the State Council of China has published: days off, from and to, and days made up. */
interface Notice {
  readonly daysOff: readonly (readonly [name: string, from: string, to: string])[];
  readonly makeUp: readonly string[];
}

/**
 * Written down from the notices by hand, and by no program: 国办发明电〔2024〕12号 of 2024-11-12 and 国办发明电〔2025〕7号 of
 * 2025-11-04.
 */
const NOTICES: readonly Notice[] = [
  {
    daysOff: [
      ['元旦', '2025-01-01', '2025-01-01'],
      ['春节', '2025-01-28', '2025-02-04'],
      ['清明节', '2025-04-04', '2025-04-06'],
      ['劳动节', '2025-05-01', '2025-05-05'],
      ['端午节', '2025-05-31', '2025-06-02'],
      ['国庆节、中秋节', '2025-10-01', '2025-10-08'],
    ],
    makeUp: ['2025-01-26', '2025-02-08', '2025-04-27', '2025-09-28', '2025-10-11'],
  },
  {
    daysOff: [
      ['元旦', '2026-01-01', '2026-01-03'],
      ['春节', '2026-02-15', '2026-02-23'],
      ['清明节', '2026-04-04', '2026-04-06'],
      ['劳动节', '2026-05-01', '2026-05-05'],
      ['端午节', '2026-06-19', '2026-06-21'],
      ['中秋节', '2026-09-25', '2026-09-27'],
      ['国庆节', '2026-10-01', '2026-10-07'],
    ],
    makeUp: ['2026-01-04', '2026-02-14', '2026-02-28', '2026-05-09', '2026-09-20', '2026-10-10'],
  },
];

const DAYS_OFF = NOTICES.flatMap(({ daysOff }) => daysOff);
const MADE_UP = new Set(NOTICES.flatMap(({ makeUp }) => makeUp));

/** Whether a day of 2025 or 2026 is worked in China. */
export function isWorkedInChina(date: string): boolean {
  if (MADE_UP.has(date)) return true;
  if (DAYS_OFF.some(([, from, to]) => date >= from && date <= to)) return false;
  return ![0, 6].includes(new Date(`${date}T12:00:00Z`).getUTCDay());
}
