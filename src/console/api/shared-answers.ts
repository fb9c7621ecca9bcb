interface Known<T> {
  readonly answer: Promise<T>;
  /** By the clock of the process, ms; null: it is being found out. */
  until: number | null;
}

/** So many are kept. */
const MOST_KEPT = 50;

/** Answers that are dear to find out: whoever asks for the same meanwhile, or soon after, gets the same. */
export class SharedAnswers<T> {
  private readonly known = new Map<string, Known<T>>();

  constructor(
    private readonly keptMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** `key` says everything that the answer depends on. What fails is not kept. */
  async of(key: string, find: () => Promise<T>): Promise<T> {
    this.forgetOld();
    const known = this.known.get(key);
    if (known) return await known.answer;
    const fresh: Known<T> = { answer: find(), until: null };
    this.known.set(key, fresh);
    try {
      const answer = await fresh.answer;
      fresh.until = this.now() + this.keptMs;
      return answer;
    } catch (error) {
      this.known.delete(key);
      throw error;
    }
  }

  private forgetOld(): void {
    const now = this.now();
    for (const [key, { until }] of this.known)
      if (until !== null && (until <= now || this.known.size > MOST_KEPT)) this.known.delete(key);
  }
}
