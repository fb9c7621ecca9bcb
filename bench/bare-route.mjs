// What Aftersign is measured against: the bare Fastify route that answers the same POST, without looking at it or
// storing it.
import fastify from 'fastify';

const app = fastify();
app.get('/', () => ({ ok: true }));
app.post('/webhook/event', () => ({ msg: 'success' }));
await app.listen({ port: Number(process.argv[2]), host: '127.0.0.1' });
