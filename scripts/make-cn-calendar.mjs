// Writes the work calendar of China to stdout, from what the package chinese-days knows of the notices of the State
// Council. In November, when the days of the next year are published and the package has them:
//   npm install --save-dev --save-exact chinese-days@latest
//   node scripts/make-cn-calendar.mjs > src/rules/calendar/shipped/cn.calendar.json
import days from 'chinese-days/dist/chinese-days.json' with { type: 'json' };
import { format } from 'prettier';

const holidays = Object.keys(days.holidays).sort();
const makeUpWorkdays = Object.keys(days.workdays).sort();
const first = Number(holidays[0].slice(0, 4));
const last = Number(holidays.at(-1).slice(0, 4));

// A year of which only the first days are known must not pass for one that is known.
for (let year = first; year <= last; year += 1) {
  for (const day of ['01-01', '05-01', '10-01'])
    if (!holidays.includes(`${year}-${day}`)) throw new Error(`${year}-${day} is no holiday there`);
}
for (const date of makeUpWorkdays) {
  const isWeekend = [0, 6].includes(new Date(date).getUTCDay());
  if (!isWeekend || holidays.includes(date)) throw new Error(`${date} needs not be made up for`);
}

const calendar = {
  name: 'cn',
  description: `中国法定节假日与调休（国务院办公厅通知，${first}–${last} 年） / Public holidays and make-up workdays of China, by the notices of the State Council, ${first} to ${last}`,
  workdays: [1, 2, 3, 4, 5],
  hours: ['09:00-12:00', '13:00-18:00'],
  from: `${first}-01-01`,
  until: `${last}-12-31`,
  holidays,
  makeUpWorkdays,
};
process.stdout.write(await format(JSON.stringify(calendar), { parser: 'json' }));
