/** Where the API is, whatever path a proxy has put the console below. */
const API = new URL('../api/v1', document.baseURI).href;

/** What the service refused, or why it could not be asked. */
export class ApiProblem extends Error {
  constructor(
    /** HTTP status; 0: no answer came. */
    readonly status: number,
    /** A stable code of docs/errors.md; `NO_ANSWER` when none came. */
    readonly code: string,
    detail: string,
    readonly errors: readonly { readonly path: string; readonly message: string }[] = [],
  ) {
    super(detail);
  }
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The token against CSRF of the session; the shell sets it. */
let csrf: string | null = null;
/** What is done when the session is over, and when it is another than this page knows. */
let onLoggedOut: () => void = () => undefined;
let onOtherSession: () => void = () => undefined;

/** Answers that say so: not those of a sign-in that failed. */
const LOGGED_OUT = ['LOGIN_REQUIRED', 'SESSION_EXPIRED', 'TOKEN_EXPIRED'];
/** Somebody signed in anew in another tab, or has another role by now. */
const OTHER_SESSION = ['CSRF', 'ROLE_MISSING', 'PASSWORD_CHANGE_REQUIRED'];

export function setCsrf(token: string | null): void {
  csrf = token;
}

export function whenLoggedOut(then: () => void): void {
  onLoggedOut = then;
}

export function whenOtherSession(then: () => void): void {
  onOtherSession = then;
}

/** The address of a path below `/api/v1`. Parameters that are empty are left out. */
export function urlOf(path: string, query: Query = {}): string {
  const url = new URL(API + path);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, String(value));
  return url.href;
}

async function ask<T>(method: string, url: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      method,
      ...(signal ? { signal } : {}),
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' || csrf === null ? {} : { 'x-csrf-token': csrf }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw new ApiProblem(0, 'NO_ANSWER', error instanceof Error ? error.message : String(error));
  }
  if (answer.status === 204) return undefined as T;
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') === true;
  if (answer.ok) return (isJson ? JSON.parse(text) : text) as T;
  const problem = (isJson ? JSON.parse(text) : {}) as {
    code?: string;
    detail?: string;
    errors?: { path: string; message: string }[];
  };
  if (LOGGED_OUT.includes(problem.code ?? '')) onLoggedOut();
  if (OTHER_SESSION.includes(problem.code ?? '')) onOtherSession();
  throw new ApiProblem(
    answer.status,
    problem.code ?? `HTTP_${answer.status}`,
    problem.detail ?? answer.statusText,
    problem.errors,
  );
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    ask<T>('GET', urlOf(path, query), undefined, signal),
  post: <T>(path: string, body?: unknown) => ask<T>('POST', urlOf(path), body),
  patch: <T>(path: string, body: unknown) => ask<T>('PATCH', urlOf(path), body),
  delete: <T>(path: string) => ask<T>('DELETE', urlOf(path)),
};

/** One path segment: ids of senders may hold anything, also half a surrogate pair, which no address can. */
export function segment(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
