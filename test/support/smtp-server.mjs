// A mail server as a process of its own: prints its port, then each mail it took as a line of JSON.
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS'],
  onAuth: ({ username, password }, _session, done) => {
    if (username === 'aftersign' && password === process.env.SMTP_PASSWORD) done(null, { user: username });
    else done(new Error('wrong user or password'));
  },
  onData: (stream, session, done) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', async () => {
      const { headers, subject, text, html, from, to } = await PostalMime.parse(Buffer.concat(chunks));
      const { mailFrom, rcptTo } = session.envelope;
      const envelope = { from: mailFrom.address, to: rcptTo.map(({ address }) => address) };
      const line = { envelope, user: session.user, headers, subject, text, html, from, to };
      process.stdout.write(`${JSON.stringify(line)}\n`);
      done();
    });
  },
});
const listener = server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${listener.address().port}\n`);
});
