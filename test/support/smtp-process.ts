import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface Mail {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly user: string | undefined;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly to: readonly { readonly name: string; readonly address: string }[];
}

/** A real SMTP server in a process of its own, and the mails it took. */
export class SmtpProcess {
  readonly mails: Mail[] = [];
  port = 0;
  private child: ChildProcess | null = null;

  async start(password: string): Promise<void> {
    const child = spawn(process.execPath, ['test/support/smtp-server.mjs'], {
      env: { PATH: process.env['PATH'], SMTP_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    await new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (this.port === 0) {
          this.port = Number(line);
          resolve();
        } else this.mails.push(JSON.parse(line) as Mail);
      });
    });
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (!child) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
