/** A request with its JSON body as JSON, rather than as a text full of escapes. */
export function readableRequest(request: unknown): unknown {
  if (typeof request !== 'object' || request === null || !('body' in request)) return request;
  const { body } = request;
  if (typeof body !== 'string' || !/^[[{]/.test(body)) return request;
  try {
    return { ...request, body: JSON.parse(body) as unknown };
  } catch {
    return request;
  }
}
