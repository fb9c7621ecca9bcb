// What deliveries are sent to: as many servers as are asked for, which read a request and answer it, and one that
// never answers. Tells its parent their ports.
import { createServer } from 'node:http';

const answer = (request, response) => {
  request.resume();
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end('{"code":0}');
  });
};

async function listen(handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server.address().port;
}

const healthy = [];
for (let n = 0; n < Number(process.argv[2]); n += 1) healthy.push(await listen(answer));
process.send({ healthy, hanging: await listen((request) => request.resume()) });
process.on('disconnect', () => process.exit());
