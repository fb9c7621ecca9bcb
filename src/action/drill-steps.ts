/** The parts of a drill, in the order in which they are tried. */
export const DRILL_STEPS = ['name', 'connection', 'tls', 'login', 'answer'] as const;
export type DrillStepName = (typeof DRILL_STEPS)[number];

/** How one part of a drill went. */
export interface DrillStep {
  readonly step: DrillStepName;
  readonly ok: boolean;
  /** A stable code of what went wrong; null: nothing did. */
  readonly code: string | null;
  /** One sentence for people. Holds no secret. */
  readonly detail: string;
  readonly ms: number;
}

/** Ends a drill: the steps behind it cannot be tried. */
export class DrillFailure extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
  ) {
    super(detail);
    this.name = 'DrillFailure';
  }

  /** @param result how an attempt would have ended */
  static of({ code, detail }: { readonly code: string | null; readonly detail: string }): DrillFailure {
    return new DrillFailure(code ?? 'SENDER_FAILED', detail);
  }
}

/** Takes the time of the steps of one drill and keeps how they went. */
export class DrillRecord {
  readonly steps: DrillStep[] = [];

  /** @param shown what may be shown of a sentence: it takes the secrets out */
  constructor(private readonly shown: (detail: string) => string) {}

  /**
   * `work` answers what to show, and a sentence about how it went.
   *
   * @throws DrillFailure when `work` does, after it is noted
   */
  async step<T>(step: DrillStepName, work: () => Promise<readonly [result: T, detail: string]>): Promise<T> {
    const began = performance.now();
    const note = (code: string | null, detail: string): void => {
      const ms = Math.round(performance.now() - began);
      this.steps.push({ step, ok: code === null, code, detail: this.shown(detail), ms });
    };
    try {
      const [result, detail] = await work();
      note(null, detail);
      return result;
    } catch (error) {
      if (error instanceof DrillFailure) note(error.code, error.detail);
      else note('SENDER_FAILED', 'The drill itself failed.');
      throw error;
    }
  }
}
