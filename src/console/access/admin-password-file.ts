import { constants } from 'node:fs';
import { access, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';

/** Who is made at the first start. */
export const FIRST_ADMIN = 'admin';

/** The one-time password of the first admin, in a file that only the owner of the process can read. */
export class AdminPasswordFile {
  readonly path: string;

  constructor(
    private readonly dataDir: string,
    private readonly dataSource: DataSource,
  ) {
    this.path = join(dataDir, 'admin-password');
  }

  async write(password: string): Promise<void> {
    await mkdir(this.dataDir, { recursive: true, mode: 0o700 });
    await this.remove();
    // Made new: neither somebody's file nor what a link points to is written, and nobody else has it open.
    const { O_WRONLY, O_CREAT, O_EXCL } = constants;
    const file = await open(this.path, O_WRONLY | O_CREAT | O_EXCL | noFollow(), 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(`${password}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /**
   * Once the password was changed, by whichever instance, the file is of no use. Whoever cannot remove it now is asked
   * again later: what stands in it opens nothing.
   */
  async removeIfUsed(): Promise<void> {
    try {
      await access(this.path);
      const waiting = await this.dataSource.query<unknown[]>(
        'select 1 from users where name = $1 and must_change_password',
        [FIRST_ADMIN],
      );
      if (waiting.length === 0) await this.remove();
    } catch {
      // Mostly: there is no file.
    }
  }

  async remove(): Promise<void> {
    try {
      await unlink(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Not on Windows. */
function noFollow(): number {
  return (constants as Partial<typeof constants>).O_NOFOLLOW ?? 0;
}
