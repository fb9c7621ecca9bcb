// Listens to the stream of the admin API, many times at once, and counts what it hears.
import { request } from 'node:http';

const [, , url, count] = process.argv;
let heard = 0;
let open = 0;
for (let listener = 0; listener < Number(count); listener += 1) {
  request(
    `${url}/api/v1/stream`,
    { headers: { authorization: `Bearer ${process.env.AFTERSIGN_TOKEN}` }, agent: false },
    (answer) => {
      if (answer.statusCode !== 200) throw new Error(`the stream answers ${answer.statusCode}`);
      if ((open += 1) === Number(count)) process.stdout.write('listening\n');
      answer.on('data', (chunk) => {
        for (let at = chunk.indexOf('event: '); at >= 0; at = chunk.indexOf('event: ', at + 1)) heard += 1;
      });
    },
  ).end();
}
process.on('SIGTERM', () => {
  process.stdout.write(`heard ${heard}\n`, () => process.exit(0));
});
