/* global SwaggerUIBundle, fetch */
const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/** Whoever is signed in here proves with this text that a change is meant; with a token nobody asks for it. */
async function withCsrf(request) {
  const headers = request.headers ?? {};
  if (SAFE.includes((request.method ?? 'GET').toUpperCase()) || headers.Authorization) return request;
  const answer = await fetch('v1/session', { credentials: 'same-origin' });
  const session = answer.ok ? await answer.json() : {};
  if (session.csrf) request.headers = { ...headers, 'x-csrf-token': session.csrf };
  return request;
}

SwaggerUIBundle({
  url: 'v1/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  operationsSorter: 'method',
  // What is looked at stays here.
  validatorUrl: null,
  persistAuthorization: false,
  requestInterceptor: withCsrf,
});
