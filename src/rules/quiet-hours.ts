const HOURS = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24:00))$/;

/** The minutes of the day of `09:00-19:00`, or of `22:00-06:00` over midnight; null when it is no such text. */
export function parseHours(text: string): { readonly from: number; readonly to: number } | null {
  const [, fromHour, fromMinute, toHour, toMinute, midnight] = HOURS.exec(text) ?? [];
  if (fromHour === undefined) return null;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const to = midnight === undefined ? Number(toHour) * 60 + Number(toMinute) : 1440;
  return from === to ? null : { from, to };
}
